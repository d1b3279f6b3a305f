#include "storage/rocks_options.h"

#include <sys/resource.h>

#include "rocksdb/filter_policy.h"
#include "rocksdb/slice_transform.h"
#include "rocksdb/table.h"
#include "storage/deleted_ranges.h"
#include "storage/rocks_types.h"

namespace smsflow::storage {
namespace {

// A folder that is only inspected must not change, not even by RocksDB's own log.
class SilentLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

// Kind and shard, for rows; nothing for the beginnings of deleted ranges.
class HintPrefix final : public rocksdb::SliceTransform {
 public:
  const char* Name() const override { return "smsflow.HintPrefix"; }
  rocksdb::Slice Transform(const rocksdb::Slice& key) const override { return {key.data(), kBytes}; }
  bool InDomain(const rocksdb::Slice& key) const override {
    return key.size() >= kBytes && !ToView(key).ends_with(kRangeTail);
  }

 private:
  static constexpr std::size_t kBytes = 3;
};

// All tables are kept open where that may be. A tool is often run with a limit of 1,024; two databases share it when
// one is made anew.
int OpenFilesMax() {
  constexpr rlim_t kEnough = 1 << 16;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kEnough) return -1;
  return static_cast<int>(limit.rlim_cur / 3);
}

}  // namespace

std::uint64_t LogBytesMax(std::uint64_t memtable_bytes) { return 8 * memtable_bytes; }

rocksdb::DBOptions DatabaseOptions(const RocksStoreOptions& options, rocksdb::Env* env) {
  rocksdb::DBOptions result;
  result.env = env;
  result.create_if_missing = options.create && !options.read_only;
  result.create_missing_column_families = result.create_if_missing;
  result.paranoid_checks = true;
  // The default opens without a word when bytes in the middle of the log are bad, and drops what was acknowledged after
  // them. This one takes a torn end, and refuses all else.
  result.wal_recovery_mode = options.cut_log ? rocksdb::WALRecoveryMode::kPointInTimeRecovery
                                             : rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  // The list of tables notes which logs there are, and how long each was when it was synced and left: one that is gone
  // or shorter is missed. Not where logs were cut on purpose.
  result.track_and_verify_wals_in_manifest = options.read_only || !options.cut_log;
  result.recycle_log_file_num = 0;
  result.avoid_flush_during_recovery = false;
  result.manual_wal_flush = false;
  result.max_total_wal_size = LogBytesMax(options.memtable_bytes);  // recovery replays some 10 ms per MB
  result.max_bgerror_resume_count = 0;                              // after an error: end and recover, never go on
  // Keys come in order within each shard; hints make use of it, and do not go with concurrent inserts.
  result.allow_concurrent_memtable_write = false;
  result.db_write_buffer_size = 8 * options.memtable_bytes;
  result.max_background_jobs = 2;
  result.max_open_files = OpenFilesMax();
  // The default starts 16 for each column family at every open, whatever there is to open.
  result.max_file_opening_threads = 2;
  result.bytes_per_sync = 1 << 20;
  result.max_log_file_size = 4 << 20;
  result.keep_log_file_num = 3;
  result.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  result.stats_dump_period_sec = 0;
  result.stats_persist_period_sec = 0;
  if (options.read_only) result.info_log = std::make_shared<SilentLogger>();
  return result;
}

rocksdb::ColumnFamilyOptions FamilyOptions(Family family, const RocksStoreOptions& options,
                                           const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.format_version = 5;
  // Filters where single rows are asked for, often in vain; the others are read in ranges, or are known to be there.
  if (family == Family::kInstances || family == Family::kIndexes)
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));

  rocksdb::ColumnFamilyOptions result;
  result.table_properties_collector_factories.push_back(DeletedRangesCollectors());
  result.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  result.write_buffer_size = options.memtable_bytes;
  result.max_write_buffer_number = 4;
  result.memtable_insert_with_hint_prefix_extractor.reset(new HintPrefix);
  // What is flushed spans all shards, so whatever is merged is merged with all of the level below: as much at a time as
  // that may hold. Not where single rows are asked for in vain: each file's filter would be asked.
  const bool large = family == Family::kInstances || family == Family::kJournal;
  result.level0_file_num_compaction_trigger = large ? 16 : 8;
  result.level0_slowdown_writes_trigger = large ? 32 : 20;
  result.level0_stop_writes_trigger = large ? 48 : 36;
  result.level_compaction_dynamic_level_bytes = true;
  result.compression = rocksdb::kLZ4Compression;
  // Instances are nearly all payload, and what is sealed does not compress: it would cost a tenth of the CPU for
  // little.
  if (family != Family::kInstances) result.bottommost_compression = rocksdb::kZSTD;
  return result;
}

std::vector<rocksdb::ColumnFamilyDescriptor> FamilyDescriptors(const RocksStoreOptions& options,
                                                               const std::shared_ptr<rocksdb::Cache>& cache) {
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (std::size_t i = 0; i < kFamilies; ++i)
    descriptors.emplace_back(kFamilyNames[i], FamilyOptions(static_cast<Family>(i), options, cache));
  return descriptors;
}

}  // namespace smsflow::storage
