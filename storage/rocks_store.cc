#include "storage/rocks_store.h"

#include <algorithm>
#include <array>
#include <cassert>

#include "absl/strings/match.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "rocksdb/file_system.h"
#include "rocksdb/iterator.h"
#include "rocksdb/snapshot.h"
#include "rocksdb/write_batch.h"
#include "storage/files.h"
#include "storage/log_end.h"
#include "storage/rocks_options.h"
#include "storage/rocks_types.h"
#include "storage/table_list.h"

namespace smsflow::storage {
namespace {

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
  std::string path, torn_end;
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

RocksStore::RocksStore(std::unique_ptr<Database> database) : database_(std::move(database)) {}
RocksStore::~RocksStore() = default;

// RocksDB deletes at once the tables that its list does not name. Where that list ends within a record, that may be for
// want of the record, and they must stay for a repair.
absl::Status RocksStore::CheckTablesAreNamed(const RocksStoreOptions& options) {
  std::vector<std::string> tables;
  rocksdb::FileSystem& files = options.file_system ? *options.file_system : *rocksdb::FileSystem::Default();
  if (auto status = files.GetChildren(options.path, {}, &tables, nullptr); !status.ok())
    return ToStatus(status, absl::StrCat("list ", options.path));
  std::erase_if(tables, [](const std::string& name) { return !name.ends_with(".sst"); });
  if (tables.empty()) return absl::OkStatus();
  RocksStoreOptions looking = options;
  looking.read_only = true;
  const auto store = Open(looking);
  if (!store.ok()) return store.status();
  std::vector<rocksdb::LiveFileMetaData> named;
  (*store)->database_->db->GetLiveFilesMetaData(&named);
  for (const std::string& name : tables)
    if (std::none_of(named.begin(), named.end(), [&](const auto& table) { return table.relative_filename == name; }))
      return absl::DataLossError(
          absl::StrCat("the list of tables in ", options.path, " is cut off, and does not name ", name));
  return absl::OkStatus();
}

// The number of the oldest log that has rows which no table has; those before it a crash kept from being deleted.
absl::StatusOr<std::uint64_t> RocksStore::FirstLogNeeded(const RocksStoreOptions& options) {
  RocksStoreOptions looking = options;
  looking.read_only = looking.cut_log = true;
  const auto store = Open(looking);
  if (!store.ok()) return store.status();
  std::uint64_t number = 0;
  (*store)->database_->db->GetIntProperty(rocksdb::DB::Properties::kMinLogNumberToKeep, &number);
  return number;
}

// What of the log will be passed over, as a sentence. DATA_LOSS: more than a crash explains.
absl::StatusOr<std::string> RocksStore::CheckLogs(const RocksStoreOptions& options, const std::vector<LogFile>& logs) {
  const bool all_read = AllWereRead(logs, 0).ok();
  auto damage = all_read ? FindDamage(logs, 0) : std::nullopt;
  if (!all_read || damage || options.cut_log) {
    const auto first = FirstLogNeeded(options);
    if (MayPass(first.status())) return first.status();
    // A log is gone, or its rows are: there is no place at which to cut.
    const bool is_gone = absl::IsDataLoss(first.status()) && absl::StrContains(first.status().message(), "Missing WAL");
    if (options.cut_log && is_gone) return first.status();
    // Where that cannot be told each of them counts.
    if (auto read = AllWereRead(logs, first.value_or(0)); !read.ok()) return read;
    damage = FindDamage(logs, first.value_or(0));
    if (!damage && options.cut_log && absl::IsDataLoss(first.status())) return first.status();
  }
  if (!damage) return TornEnd(logs);
  if (!options.cut_log) return absl::DataLossError(damage->what);
  if (auto status = CutLogs(logs, *damage); !status.ok()) return status;
  return damage->what;
}

// A table of the first level that cannot be opened makes RocksDB 7.8 end the process: an iterator frees twice what
// deletes ranges in the table before it. So it is asked for once without those, which tells.
absl::Status RocksStore::CheckTablesOpen(const Database& database) {
  rocksdb::ReadOptions options;
  options.ignore_range_deletions = true;
  for (auto* family : database.families) {
    const std::unique_ptr<rocksdb::Iterator> rows(database.db->NewIterator(options, family));
    rows->SeekToFirst();
    if (!rows->status().ok()) return ToStatus(rows->status(), absl::StrCat("read the tables of ", database.path));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<RocksStore>> RocksStore::Open(const RocksStoreOptions& options) {
  auto database = std::make_unique<Database>();
  database->path = options.path;
  database->read_only = options.read_only;
  database->file_system = options.file_system;
  if (options.file_system) database->env = rocksdb::NewCompositeEnv(options.file_system);
  database->cache = rocksdb::NewLRUCache(options.block_cache_bytes);

  rocksdb::FileSystem& files = *database->any_env()->GetFileSystem();
  const auto list = TableListPath(files, options.path);
  if (!list.ok()) return list.status();
  const absl::StatusOr<LogEnd> end = list->empty() ? LogEnd() : FindLogEnd(files, *list, LogOf::kTables);
  if (!end.ok()) return end.status();
  if (end->kind == LogEnd::kDamaged) return absl::DataLossError(Damaged(*list, *end));
  if (end->kind == LogEnd::kTorn && !options.read_only)
    if (auto status = CheckTablesAreNamed(options); !status.ok()) return status;
  if (!options.read_only || !options.cut_log) {
    const auto logs = LookAtLogs(files, options.path);
    if (!logs.ok()) return logs.status();
    auto torn_end = CheckLogs(options, *logs);
    if (!torn_end.ok()) return torn_end.status();
    database->torn_end = *std::move(torn_end);
  }
  const rocksdb::DBOptions db_options = DatabaseOptions(options, database->any_env());
  const auto descriptors = FamilyDescriptors(options, database->cache);

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
    const bool damaged =
        absl::IsNotFound(why) &&
        FileExists(*database->any_env()->GetFileSystem(), absl::StrCat(options.path, "/CURRENT")).value_or(false);
    return damaged ? absl::DataLossError(why.message()) : why;
  }
  for (std::size_t i = 0; i < kFamilies; ++i)
    if (database->families[i]->GetID() != i)
      return absl::DataLossError(absl::StrCat(options.path, " was not made by smsflow: its family ", kFamilyNames[i],
                                              " has number ", database->families[i]->GetID(), ", not ", i));
  if (auto checked = CheckTablesOpen(*database); !checked.ok()) return checked;
  return std::unique_ptr<RocksStore>(new RocksStore(std::move(database)));
}

const std::string& RocksStore::torn_end() const { return database_->torn_end; }

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

std::uint64_t RocksStore::LastRow() const { return database_->db->GetLatestSequenceNumber(); }

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
  return LogBytesMax(memtable_bytes) + 8 * memtable_bytes;
}

}  // namespace smsflow::storage
