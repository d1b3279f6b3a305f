#include "tools/bench/bare_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <vector>

#include "crypto/random.h"
#include "rocksdb/db.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/options.h"
#include "rocksdb/slice_transform.h"
#include "rocksdb/table.h"
#include "rocksdb/write_batch.h"
#include "storage/keys.h"

namespace smsflow::bench {
namespace {

constexpr std::size_t kEventsPerBatch = 256;
constexpr std::uint16_t kShards = 64;
constexpr std::size_t kMemtableBytes = 16 << 20;
constexpr std::size_t kPoolBytes = 1 << 20;
constexpr std::size_t kIdBytes = 16;

absl::Status ToStatus(const rocksdb::Status& status, const std::string& what) {
  return status.ok() ? absl::OkStatus() : absl::InternalError("cannot " + what + ": " + status.ToString());
}

rocksdb::Options BestOptions(bool large = false) {
  rocksdb::BlockBasedTableOptions table;
  table.format_version = 5;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  rocksdb::Options options;
  options.create_if_missing = options.create_missing_column_families = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  options.write_buffer_size = kMemtableBytes;
  options.max_write_buffer_number = 4;
  options.memtable_insert_with_hint_prefix_extractor.reset(rocksdb::NewFixedPrefixTransform(3));
  options.allow_concurrent_memtable_write = false;
  options.level0_file_num_compaction_trigger = large ? 16 : 8;
  options.level0_slowdown_writes_trigger = large ? 32 : 20;
  options.level0_stop_writes_trigger = large ? 48 : 36;
  options.level_compaction_dynamic_level_bytes = true;
  options.max_total_wal_size = 8 * kMemtableBytes;
  options.bytes_per_sync = 1 << 20;
  options.max_background_jobs = 2;
  options.compression = rocksdb::kLZ4Compression;
  options.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  options.stats_dump_period_sec = options.stats_persist_period_sec = 0;
  return options;
}

// One SMS on its way through its batches.
struct Sms {
  InstanceId id;
  std::int64_t now_ms = 0;
};

class BareStore : public Part {
 public:
  // `example`: whose keys those of kinds that are not the engine's are.
  BareStore(std::vector<BatchShape> stages, std::size_t events, const InstanceId& example)
      : stages_(std::move(stages)),
        example_(example),
        pool_(crypto::RandomBytes(kPoolBytes)),
        at_once_(kEventsPerBatch / events),
        waves_(stages_.size()) {}
  ~BareStore() override {
    for (auto* family : families_) db_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
    if (db_) db_->Close().PermitUncheckedError();
  }

  absl::Status Open(const std::string& folder) {
    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    for (const std::string name : {"default", "instances", "journal", "queues", "indexes"})
      descriptors.emplace_back(name, BestOptions(name == "instances" || name == "journal"));
    rocksdb::DB* db = nullptr;
    const auto status = rocksdb::DB::Open(BestOptions(), folder, descriptors, &families_, &db);
    db_.reset(db);
    return ToStatus(status, "open " + folder);
  }

  Slice Run(double seconds) override {
    const double cpu = ProcessCpu(), begun = Now();
    Slice slice;
    do {
      if (!WriteOne().ok()) break;  // a failed write counts nothing more, and the rate shows it
      slice.count += at_once_;
      slice.seconds = Now() - begun;
    } while (slice.seconds < seconds);
    slice.cpu_s = ProcessCpu() - cpu;
    return slice;
  }

 private:
  // Each wave of SMSes takes its next step; the rows stand grouped by family, which RocksDB likes best.
  absl::Status WriteOne() {
    std::rotate(waves_.rbegin(), waves_.rbegin() + 1, waves_.rend());
    const std::int64_t now_ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    waves_[0].clear();
    for (std::size_t i = 0; i < at_once_; ++i) {
      const ShardId shard{static_cast<std::uint16_t>(Spread() % kShards)};
      waves_[0].push_back({InstanceId::Make(now_ms, shard, Spread()), now_ms});
    }
    batch_.Clear();
    for (std::size_t family = 0; family < families_.size(); ++family)
      for (std::size_t stage = 0; stage < stages_.size(); ++stage)
        for (const Sms& sms : waves_[stage])
          for (const RowShape& row : stages_[stage])
            if (static_cast<std::size_t>(row.family) == family) AddRow(row, sms, now_ms);
    rocksdb::WriteOptions options;
    options.sync = true;
    return ToStatus(db_->Write(options, &batch_), "write a batch");
  }

  void AddRow(const RowShape& row, const Sms& sms, std::int64_t now_ms) {
    const storage::Key key = KeyOf(row, sms, now_ms);
    const std::string_view bytes = key;
    auto* family = families_[static_cast<std::size_t>(row.family)];
    const rocksdb::Slice name(bytes.data(), bytes.size());
    if (row.deleted) {
      batch_.Delete(family, name).PermitUncheckedError();
      return;
    }
    value_.assign(row.value);
    // What differs from one SMS to the next in a real row: payload, hashes, ids.
    const std::size_t fresh = row.kind == 'h'   ? std::min(value_.size(), kPayloadBytes + kIdBytes)
                              : row.kind == 'j' ? std::min<std::size_t>(value_.size(), 74)
                                                : std::min(value_.size(), kIdBytes);
    std::memcpy(value_.data() + (value_.size() - fresh), pool_.data() + Spread() % (kPoolBytes - fresh), fresh);
    batch_.Put(family, name, value_).PermitUncheckedError();
  }

  storage::Key KeyOf(const RowShape& row, const Sms& sms, std::int64_t now_ms) {
    const ShardId shard = sms.id.shard();
    switch (row.kind) {
      case 'h':
        return storage::HeadKey(sms.id);
      case 's':
        return storage::StateKey(sms.id);
      case 'j':
        return storage::JournalKey(shard, ++journal_[shard.value]);
      case 'o':
        return storage::OutboxKey(shard, ++outbox_[shard.value]);
      case 't':
        return storage::TimerKey{shard, now_ms + row.due_after_ms, sms.id, row.name}.Encode();
      case 'i':
        return storage::IndexKey(shard, row.name, Scattered(), sms.id);
      case 'd':
        return storage::DedupeKey(shard, Scattered());
      default:
        return LikeExample(row, sms);
    }
  }

  // Of a kind that is not the engine's: the id stands where that of the example does, and so does its shard.
  storage::Key LikeExample(const RowShape& row, const Sms& sms) const {
    const std::string_view was(row.key), id = InBytes(example_);
    const std::size_t at = was.find(id);
    const bool sharded = was.substr(1, 2) == storage::Key(row.kind, example_.shard()).view().substr(1);
    storage::Key key(row.kind, sharded ? sms.id.shard() : ShardId{0});
    if (at == std::string_view::npos) return key.Add(was.substr(3));
    return key.Add(was.substr(3, at - 3)).Add(InBytes(sms.id)).Add(was.substr(at + id.size()));
  }
  static std::string_view InBytes(const InstanceId& id) {
    return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
  }

  storage::Hash16 Scattered() {
    storage::Hash16 hash;
    const std::array<std::uint64_t, 2> halves{Spread(), Spread()};
    std::memcpy(hash.data(), halves.data(), hash.size());
    return hash;
  }

  // Good enough to spread keys, and next to free: this loop is to measure RocksDB.
  std::uint64_t Spread() {
    std::uint64_t mixed = state_ += 0x9E3779B97F4A7C15;
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
    return mixed ^ (mixed >> 31);
  }

  const std::vector<BatchShape> stages_;
  const InstanceId example_;
  const std::string pool_;
  const std::size_t at_once_;
  std::vector<std::vector<Sms>> waves_;  // by stage
  std::array<std::uint64_t, kShards> journal_{};
  std::array<std::uint64_t, kShards> outbox_{};
  std::uint64_t state_ = crypto::Random64();
  std::string value_;
  rocksdb::WriteBatch batch_;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
  std::unique_ptr<rocksdb::DB> db_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Part>> OpenBareStore(const std::string& folder, const SmsShape& shape, Extent extent) {
  std::vector<BatchShape> stages = {shape.schedule};
  if (extent == Extent::kLives) {
    stages.push_back(shape.lease);
    stages.push_back(shape.reports);
  }
  // SENT and DELIVERED are two events that one batch decides.
  auto store = std::make_unique<BareStore>(std::move(stages), extent == Extent::kLives ? 4 : 1, InstanceId());
  if (absl::Status status = store->Open(folder); !status.ok()) return status;
  return store;
}

absl::StatusOr<std::unique_ptr<Part>> OpenBareStore(const std::string& folder, std::vector<BatchShape> batches,
                                                    const InstanceId& example) {
  const std::size_t events = batches.size();
  auto store = std::make_unique<BareStore>(std::move(batches), events, example);
  if (absl::Status status = store->Open(folder); !status.ok()) return status;
  return store;
}

absl::StatusOr<double> MedianSyncMs(const std::string& folder, std::size_t bytes, double seconds) {
  const std::string path = folder + "/sync-rhythm";
  const int file = ::open(path.c_str(), O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0600);
  if (file < 0) return absl::InternalError("cannot make " + path);
  const std::string block(bytes, 's');
  std::vector<double> took;
  const double end = Now() + seconds;
  while (Now() < end) {
    const double begun = Now();
    if (::write(file, block.data(), block.size()) != static_cast<ssize_t>(block.size()) || ::fdatasync(file) != 0)
      break;
    took.push_back((Now() - begun) * 1000);
  }
  ::close(file);
  ::unlink(path.c_str());
  if (took.empty()) return absl::InternalError("cannot write and sync " + path);
  const auto middle = took.begin() + static_cast<std::ptrdiff_t>(took.size() / 2);
  std::nth_element(took.begin(), middle, took.end());
  return *middle;
}

}  // namespace smsflow::bench
