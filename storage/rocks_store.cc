#include "storage/rocks_store.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "rocksdb/cache.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "rocksdb/file_system.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/iterator.h"
#include "rocksdb/options.h"
#include "rocksdb/slice_transform.h"
#include "rocksdb/snapshot.h"
#include "rocksdb/table.h"
#include "rocksdb/write_batch.h"
#include "storage/files.h"
#include "storage/rocks_types.h"

namespace smsflow::storage {
namespace {

// In the order of Family: RocksDB numbers families in the order in which they are created.
constexpr std::array<const char*, kFamilies> kNames{"default", "instances", "journal", "queues", "indexes"};

// A folder that is only inspected must not change, not even by RocksDB's own log.
class SilentLogger final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

std::uint64_t LogBound(std::uint64_t memtable_bytes) { return 8 * memtable_bytes; }

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
  result.recycle_log_file_num = 0;
  result.avoid_flush_during_recovery = false;
  result.manual_wal_flush = false;
  result.max_total_wal_size = LogBound(options.memtable_bytes);  // recovery replays some 10 ms per MB
  result.max_bgerror_resume_count = 0;                           // after an error: end and recover, never go on
  // Keys come in order within each shard; hints make use of it, and do not go with concurrent inserts.
  result.allow_concurrent_memtable_write = false;
  result.db_write_buffer_size = 8 * options.memtable_bytes;
  result.max_background_jobs = 2;
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

class RocksCursor final : public Cursor {
 public:
  RocksCursor(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family, std::string_view from, std::string_view till,
              bool reverse, const rocksdb::Snapshot* snapshot = nullptr)
      : from_(from), till_(till), lower_(from_), upper_(till_), reverse_(reverse) {
    rocksdb::ReadOptions options;
    options.snapshot = snapshot;
    options.iterate_lower_bound = &lower_;
    if (!till_.empty()) options.iterate_upper_bound = &upper_;
    iterator_.reset(db.NewIterator(options, family));
    if (reverse_) {
      iterator_->SeekToLast();
    } else {
      iterator_->Seek(lower_);
    }
  }
  bool Valid() const override { return iterator_->Valid(); }
  std::string_view key() const override { return ToView(iterator_->key()); }
  std::string_view value() const override { return ToView(iterator_->value()); }
  void Next() override {
    assert(Valid());
    if (reverse_) {
      iterator_->Prev();
    } else {
      iterator_->Next();
    }
  }
  absl::Status status() const override { return ToStatus(iterator_->status(), "read rows in order"); }

 private:
  const std::string from_, till_;
  const rocksdb::Slice lower_, upper_;
  const bool reverse_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

}  // namespace

struct RocksStore::Database {
  std::shared_ptr<rocksdb::FileSystem> file_system;
  std::unique_ptr<rocksdb::Env> env;  // only with a file system of its own
  std::shared_ptr<rocksdb::Cache> cache;
  std::unique_ptr<rocksdb::DB> db;
  std::vector<rocksdb::ColumnFamilyHandle*> families;
  std::string path;
  bool read_only = false;

  ~Database() {
    if (!db) return;
    for (auto* family : families) db->DestroyColumnFamilyHandle(family).PermitUncheckedError();
    db->Close().PermitUncheckedError();
  }
  absl::StatusOr<std::optional<std::string>> Get(const rocksdb::ReadOptions& options, Family which,
                                                 std::string_view key) const {
    std::string value;
    const auto status = db->Get(options, family(which), ToSlice(key), &value);
    if (status.ok()) return value;
    if (status.IsNotFound()) return std::nullopt;
    return ToStatus(status, "read a row");
  }
  rocksdb::Env* any_env() const { return env ? env.get() : rocksdb::Env::Default(); }
  rocksdb::ColumnFamilyHandle* family(Family which) const { return families[static_cast<std::size_t>(which)]; }
};

namespace {

std::vector<rocksdb::ColumnFamilyDescriptor> Descriptors(const RocksStoreOptions& options,
                                                         const std::shared_ptr<rocksdb::Cache>& cache) {
  std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
  for (int i = 0; i < kFamilies; ++i)
    descriptors.emplace_back(kNames[static_cast<std::size_t>(i)],
                             FamilyOptions(static_cast<Family>(i), options, cache));
  return descriptors;
}

}  // namespace

RocksStore::RocksStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}
RocksStore::~RocksStore() = default;

absl::StatusOr<std::unique_ptr<RocksStore>> RocksStore::Open(const RocksStoreOptions& options) {
  auto database = std::make_unique<Database>();
  database->path = options.path;
  database->read_only = options.read_only;
  database->file_system = options.file_system;
  if (options.file_system) database->env = rocksdb::NewCompositeEnv(options.file_system);
  database->cache = rocksdb::NewLRUCache(options.block_cache_bytes);

  const rocksdb::DBOptions db_options = DatabaseOptions(options, database->any_env());
  const auto descriptors = Descriptors(options, database->cache);

  rocksdb::DB* db = nullptr;
  const auto status =
      options.read_only ? rocksdb::DB::OpenForReadOnly(db_options, options.path, descriptors, &database->families, &db)
                        : rocksdb::DB::Open(db_options, options.path, descriptors, &database->families, &db);
  database->db.reset(db);
  if (status.IsInvalidArgument() && absl::StrContains(status.ToString(), "not opened"))
    return absl::FailedPreconditionError(
        absl::StrCat(options.path, " was made by a newer smsflow: it has tables that this one does not know"));
  if (!status.ok()) {
    const absl::Status why = ToStatus(status, absl::StrCat("open ", options.path));
    // It is there, and one of its files is not.
    const bool damaged = absl::IsNotFound(why) &&
                         FileExists(*database->any_env()->GetFileSystem(), absl::StrCat(options.path, "/CURRENT"));
    return damaged ? absl::DataLossError(why.message()) : why;
  }
  for (std::size_t i = 0; i < kFamilies; ++i)
    if (database->families[i]->GetID() != i)
      return absl::DataLossError(absl::StrCat(options.path, " was not made by smsflow: its family ", kNames[i],
                                              " has number ", database->families[i]->GetID(), ", not ", i));
  return std::unique_ptr<RocksStore>(new RocksStore(std::move(database)));
}

// RepairDB() numbers the families anew and leaves out those without rows, so what it saved goes into a fresh store.
absl::Status RocksStore::Rebuild(const RocksStoreOptions& options) {
  auto saved = std::make_unique<Database>();
  saved->cache = rocksdb::NewLRUCache(options.block_cache_bytes);
  const rocksdb::DBOptions db_options = DatabaseOptions(options, saved->any_env());
  auto descriptors = Descriptors(options, saved->cache);
  auto status = rocksdb::RepairDB(options.path, db_options, descriptors);
  std::vector<std::string> names;
  if (status.ok()) status = rocksdb::DB::ListColumnFamilies(db_options, options.path, &names);
  std::erase_if(descriptors,
                [&](const auto& family) { return std::find(names.begin(), names.end(), family.name) == names.end(); });
  rocksdb::DB* db = nullptr;
  if (status.ok()) status = rocksdb::DB::OpenForReadOnly(db_options, options.path, descriptors, &saved->families, &db);
  saved->db.reset(db);
  if (!status.ok()) return ToStatus(status, absl::StrCat("rebuild ", options.path));

  RocksStoreOptions fresh = options;
  fresh.path = absl::StrCat(options.path, ".fresh");
  fresh.create = true;
  auto store = Open(fresh);
  if (!store.ok()) return store.status();
  for (std::size_t i = 0; i < descriptors.size(); ++i) {
    const auto name = std::find(kNames.begin(), kNames.end(), descriptors[i].name);
    if (auto copied = (*store)->Take(*saved->db, saved->families[i], static_cast<Family>(name - kNames.begin()));
        !copied.ok())
      return copied;
  }
  if (auto compacted = (*store)->Compact(); !compacted.ok()) return compacted;
  store->reset();
  saved.reset();
  std::error_code error;
  std::filesystem::remove_all(options.path, error);
  if (!error) std::filesystem::rename(fresh.path, options.path, error);
  return error ? absl::ErrnoToStatus(error.value(), absl::StrCat("cannot put ", fresh.path, " in its place"))
               : absl::OkStatus();
}

absl::Status RocksStore::Take(rocksdb::DB& from, rocksdb::ColumnFamilyHandle* family, Family to) {
  constexpr std::size_t kBatchBytes = 1 << 20;
  Batch batch;
  const std::unique_ptr<rocksdb::Iterator> rows(from.NewIterator({}, family));
  for (rows->SeekToFirst(); rows->Valid(); rows->Next()) {
    batch.Put(to, ToView(rows->key()), ToView(rows->value()));
    if (batch.bytes() < kBatchBytes) continue;
    if (auto status = Write(batch, Sync::kNo); !status.ok()) return status;
    batch.Clear();
  }
  if (!rows->status().ok()) return ToStatus(rows->status(), "read what was saved");
  return Write(batch, Sync::kYes);
}

absl::StatusOr<std::optional<std::string>> RocksStore::Get(Family family, std::string_view key) const {
  return database_->Get({}, family, key);
}

std::unique_ptr<Cursor> RocksStore::Scan(Family family, std::string_view from, std::string_view till,
                                         bool reverse) const {
  return std::make_unique<RocksCursor>(*database_->db, database_->family(family), from, till, reverse);
}

absl::Status RocksStore::Write(const Batch& batch, Sync sync) {
  if (database_->read_only) return absl::FailedPreconditionError("the data folder is open for reading only");
  rocksdb::WriteOptions options;
  options.sync = sync == Sync::kYes;
  rocksdb::WriteBatch joined = batch.Joined();
  return ToStatus(database_->db->Write(options, &joined), "commit a batch");
}

class RocksStore::FrozenStore final : public Store {
 public:
  explicit FrozenStore(const Database& database) : database_(database), snapshot_(database.db.get()) {
    options_.snapshot = snapshot_.snapshot();
  }
  absl::StatusOr<std::optional<std::string>> Get(Family family, std::string_view key) const override {
    return database_.Get(options_, family, key);
  }
  std::unique_ptr<Cursor> Scan(Family family, std::string_view from, std::string_view till,
                               bool reverse) const override {
    return std::make_unique<RocksCursor>(*database_.db, database_.family(family), from, till, reverse,
                                         options_.snapshot);
  }
  [[nodiscard]] absl::Status Write(const Batch&, Sync) override {
    return absl::FailedPreconditionError("a frozen store takes no writes");
  }

 private:
  const Database& database_;
  rocksdb::ManagedSnapshot snapshot_;
  rocksdb::ReadOptions options_;
};

std::unique_ptr<Store> RocksStore::Frozen() const { return std::make_unique<FrozenStore>(*database_); }

absl::Status RocksStore::Compact() {
  if (database_->read_only) return absl::FailedPreconditionError("the data folder is open for reading only");
  auto status = database_->db->Flush({}, database_->families);
  if (!status.ok()) return ToStatus(status, "flush");
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  for (auto* family : database_->families) {
    status = database_->db->CompactRange(options, family, nullptr, nullptr);
    if (!status.ok()) return ToStatus(status, "compact");
  }
  return absl::OkStatus();
}

std::vector<std::pair<std::string, std::uint64_t>> RocksStore::Figures() const {
  using Properties = rocksdb::DB::Properties;
  const std::array<std::pair<const char*, std::string>, 9> names{{
      {"memtable_bytes", Properties::kCurSizeAllMemTables},
      {"table_bytes", Properties::kTotalSstFilesSize},
      {"live_table_bytes", Properties::kLiveSstFilesSize},
      {"table_reader_bytes", Properties::kEstimateTableReadersMem},
      {"rows_estimate", Properties::kEstimateNumKeys},
      {"flushes_running", Properties::kNumRunningFlushes},
      {"compactions_running", Properties::kNumRunningCompactions},
      {"compaction_pending_bytes", Properties::kEstimatePendingCompactionBytes},
      {"background_errors", Properties::kBackgroundErrors},
  }};
  std::vector<std::pair<std::string, std::uint64_t>> figures;
  for (const auto& [name, property] : names) {
    std::uint64_t value = 0;
    if (database_->db->GetAggregatedIntProperty(property, &value)) figures.emplace_back(name, value);
  }
  figures.emplace_back("block_cache_bytes", database_->cache->GetUsage());
  rocksdb::VectorLogPtr logs;
  std::uint64_t log_bytes = 0;
  if (database_->db->GetSortedWalFiles(logs).ok())
    for (const auto& log : logs) log_bytes += log->SizeFileBytes();
  figures.emplace_back("log_bytes", log_bytes);
  return figures;
}

std::uint64_t RocksStore::UsedBytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [name, value] : Figures())
    if (name == "table_bytes" || name == "log_bytes") bytes += value;
  return bytes;
}

std::uint64_t RocksStore::ReserveBytes(std::uint64_t memtable_bytes) {
  return LogBound(memtable_bytes) + 8 * memtable_bytes;
}

}  // namespace smsflow::storage
