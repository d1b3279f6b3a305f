#include "storage/data_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/random.h"
#include "rocksdb/file_system.h"
#include "storage/disk_room.h"
#include "storage/files.h"
#include "storage/folder_lock.h"
#include "storage/high_water_file.h"
#include "storage/index_key_file.h"
#include "storage/journal.h"
#include "storage/owner_file.h"
#include "storage/records.h"
#include "storage/rocks_store.h"

namespace smsflow::storage {
namespace {

constexpr std::uint16_t kShardsOfNew = 64;
constexpr char kBeyondRepair[] = "smsflow/beyond-repair";

// What repair.h cannot bring back: what was acknowledged, and the database as a whole.
absl::Status BeyondRepair(absl::Status status) {
  status.SetPayload(kBeyondRepair, absl::Cord());
  return status;
}

// Not there, or as a disk is before anything was put on it. The lock stands in it before a key is made.
absl::StatusOr<bool> IsEmpty(const std::filesystem::path& folder) {
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (it->path().filename() != "lost+found") return false;
  if (!error || error == std::errc::no_such_file_or_directory) return true;
  return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot list ", folder.string()));
}

// A folder of other things is not made one of smsflow's: whoever mistyped a path would get an engine without a past.
// The lock is the first that a start makes, so a first start that was cut short is known by it; a copy may lack it.
absl::StatusOr<bool> IsOfOthers(const std::filesystem::path& folder) {
  std::error_code error;
  for (const char* ours : {"LOCK-smsflow", "high-water", "ballast", "db/CURRENT"})
    if (std::filesystem::exists(folder / ours, error)) return false;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (it->path().filename() != "lost+found") return true;  // which stands at the root of a disk
  if (!error) return false;
  return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot list ", folder.string()));
}

class Folder final : public DataFolder {
 public:
  explicit Folder(const DataFolderOptions& options)
      : options_(options),
        files_(options.file_system ? options.file_system : rocksdb::FileSystem::Default()),
        high_water_path_(absl::StrCat(options.path, "/high-water")),
        key_path_(options.index_key_path.empty() ? absl::StrCat(options.path, ".key") : options.index_key_path),
        room_({options.path, DatabasePath(), absl::StrCat(options.path, "/ballast"), options.ballast_bytes,
               options.memtable_bytes, options.file_system}) {}

  absl::Status Open();

  Store& store() override { return *store_; }
  const IndexKeys& index_keys() const override { return *index_keys_; }
  HighWater& high_water() override { return *high_water_; }
  void CountRows() {
    high_water_->CountRows([this] { return store_->LastRow(); });
  }
  std::uint16_t shards() const override { return static_cast<std::uint16_t>(meta_.shards()); }
  const std::string& uuid() const override { return meta_.uuid(); }
  bool created() const override { return created_; }
  const std::string& torn_end() const override { return store_->torn_end(); }

  absl::StatusOr<std::uint64_t> FreeBytes() const override { return room_.FreeBytes(); }
  std::uint64_t ReserveBytes() const override { return room_.ReserveBytes(); }
  std::uint64_t UsedBytes() const override { return store_->UsedBytes(); }
  absl::Status ReleaseBallast() override { return room_.ReleaseBallast(); }
  absl::Status RestoreBallast() override { return room_.RestoreBallast(); }
  std::vector<std::pair<std::string, std::uint64_t>> Figures() const override { return store_->Figures(); }
  absl::Status Compact() override { return store_->Compact(); }

 private:
  std::string DatabasePath() const { return absl::StrCat(options_.path, "/db"); }
  absl::Status MakeAndLock();
  absl::Status LookAtHighWater();
  absl::Status OpenKey();
  absl::Status SyncFolder() const;
  absl::Status LookFirst();
  absl::Status OpenStore(bool read_only);
  absl::Status MetaIsGone() const;
  absl::Status Begin();
  absl::Status CheckMeta() const;
  absl::Status CheckMarks(const RocksStore& store) const;
  bool HoldsRows() const;

  const DataFolderOptions options_;
  const std::shared_ptr<rocksdb::FileSystem> files_;
  const std::string high_water_path_, key_path_;
  DiskRoom room_;
  std::unique_ptr<FolderLock> lock_;  // first taken, last released
  std::unique_ptr<IndexKeys> index_keys_;
  std::unique_ptr<HighWaterFile> high_water_;  // null while there is none
  std::unique_ptr<RocksStore> store_;
  stored::Meta meta_;
  bool has_database_ = false;
  bool created_ = false;
};

absl::Status Folder::Open() {
  if (options_.shards > kShardsMax)
    return absl::InvalidArgumentError(absl::StrCat("shards must be at most ", kShardsMax));
  if (auto status = MakeAndLock(); !status.ok()) return status;
  const auto has_database = FileExists(*files_, absl::StrCat(DatabasePath(), "/CURRENT"));
  if (!has_database.ok()) return has_database.status();
  has_database_ = *has_database;
  if (auto status = LookAtHighWater(); !status.ok()) return status;
  if (!has_database_ && (options_.read_only || !options_.create))
    return absl::NotFoundError(absl::StrCat(options_.path, " is not a data folder of smsflow"));
  if (!has_database_)
    if (auto status = SyncFolder(); !status.ok()) return status;
  if (auto status = OpenKey(); !status.ok()) return status;
  if (auto status = LookFirst(); !status.ok()) return status;
  if (has_database_ && !options_.read_only)
    if (auto status = room_.MakeRoomToRecover(); !status.ok()) return status;
  if (auto status = OpenStore(options_.read_only); !status.ok()) return status;

  auto meta = GetMeta(*store_);
  if (!meta.ok()) return meta.status();
  if (!*meta) return Begin();
  meta_ = std::move(**meta);
  if (auto status = CheckMeta(); !status.ok()) return status;
  if (auto status = CheckMarks(*store_); !status.ok()) return status;
  if (!options_.read_only) RestoreBallast().IgnoreError();  // an engine tries again, and says so
  return absl::OkStatus();
}

absl::Status Folder::MakeAndLock() {
  const bool make = options_.create && !options_.read_only;
  if (make && !options_.new_folder && ::access(key_path_.c_str(), F_OK) == 0) {
    const auto empty = IsEmpty(options_.path);
    if (!empty.ok()) return empty.status();
    if (*empty)
      return absl::FailedPreconditionError(
          absl::StrCat("index key ", key_path_, " is there, but ", options_.path,
                       " holds no data: is its disk mounted? 'smsflowd --new-folder' says that it is to be a new one"));
  }
  if (make && ::mkdir(options_.path.c_str(), 0700) != 0 && errno != EEXIST)
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot make data folder ", options_.path));
  struct stat info {};
  if (::stat(options_.path.c_str(), &info) != 0)
    return errno == ENOENT ? absl::NotFoundError(absl::StrCat("there is no data folder ", options_.path))
                           : absl::ErrnoToStatus(errno, absl::StrCat("cannot look at data folder ", options_.path));
  const absl::StatusOr<bool> of_others = make ? IsOfOthers(options_.path) : false;
  if (!of_others.ok()) return of_others.status();
  if (*of_others)
    return absl::FailedPreconditionError(
        absl::StrCat(options_.path, " is not a data folder of smsflow; name an empty one, or one that is not there"));
  auto lock =
      FolderLock::Take(options_.path, options_.read_only ? FolderLock::Mode::kReader : FolderLock::Mode::kWriter);
  if (absl::IsNotFound(lock.status()))
    return absl::NotFoundError(absl::StrCat(options_.path, " is not a data folder of smsflow"));
  if (!lock.ok()) return lock.status();
  lock_ = std::move(*lock);
  return absl::OkStatus();
}

// Before RocksDB is touched: it tells a newer format, and a database that has gone.
absl::Status Folder::LookAtHighWater() {
  const auto exists = FileExists(*files_, high_water_path_);
  if (!exists.ok() || !*exists) return exists.status();
  auto file = HighWaterFile::Open(files_, high_water_path_, options_.read_only);
  if (!file.ok() && !has_database_ && absl::IsDataLoss(file.status())) return absl::OkStatus();
  if (!file.ok())
    return BeyondRepair({file.status().code(), absl::StrCat(options_.path, ": ", file.status().message())});
  high_water_ = std::move(*file);
  if (!has_database_ && !high_water_->empty())
    return absl::DataLossError(
        absl::StrCat(DatabasePath(), " is gone, but ", high_water_path_, " knows of data; restore the folder"));
  return absl::OkStatus();
}

absl::Status Folder::OpenKey() {
  auto key = ReadIndexKey(key_path_);
  if (absl::IsNotFound(key.status())) {
    if (has_database_)
      return absl::FailedPreconditionError(absl::StrCat("index key ", key_path_, " is missing; without it the data in ",
                                                        options_.path, " cannot be used: bring it back"));
    if (auto status = MakeIndexKey(key_path_); !status.ok()) return status;
    key = ReadIndexKey(key_path_);
  }
  if (!key.ok()) return key.status();
  index_keys_ = std::make_unique<IndexKeys>(key->Reveal());
  return absl::OkStatus();
}

// The folder, with the lock by which a start that was cut short is known, is there before anything is made for it.
absl::Status Folder::SyncFolder() const {
  if (auto status = SyncDirectory(options_.path); !status.ok()) return status;
  const absl::Status around = SyncDirectoryAround(options_.path);
  return absl::IsPermissionDenied(around) ? absl::OkStatus() : around;  // it may be written to, and not be listed
}

// RocksDB deletes at once the tables that its list does not name, and the logs that it has read; and a list that was
// cut off between two records looks whole. So what is there is held to the marks before any of it may change.
absl::Status Folder::LookFirst() {
  if (!has_database_ || options_.read_only || options_.cut_log || !high_water_ || high_water_->empty())
    return absl::OkStatus();
  if (auto status = OpenStore(/*read_only=*/true); !status.ok()) return status;
  const auto looked_at = std::exchange(store_, nullptr);
  if (!looked_at->torn_end().empty() && looked_at->LastRow() < high_water_->last_row_at_open())
    return absl::DataLossError(absl::StrCat(
        "acknowledged data is missing: the last row of ", DatabasePath(), " is number ", looked_at->LastRow(), ", but ",
        high_water_->last_row_at_open(), " was acknowledged; ", looked_at->torn_end()));
  auto meta = GetMeta(*looked_at);
  if (!meta.ok()) return meta.status();
  if (!*meta) return MetaIsGone();
  meta_ = std::move(**meta);
  if (auto status = CheckMeta(); !status.ok()) return status;
  return CheckMarks(*looked_at);
}

absl::Status Folder::MetaIsGone() const {
  return absl::DataLossError(absl::StrCat(options_.path, " holds data, but its meta row is gone; restore the folder"));
}

absl::Status Folder::OpenStore(bool read_only) {
  RocksStoreOptions options;
  options.path = DatabasePath();
  options.create = options_.create;
  options.read_only = read_only;
  options.cut_log = options_.cut_log;
  options.block_cache_bytes = options_.block_cache_bytes;
  options.memtable_bytes = options_.memtable_bytes;
  options.file_system = options_.file_system;
  auto store = RocksStore::Open(options);
  if (!store.ok()) return store.status();
  store_ = std::move(*store);
  return absl::OkStatus();
}

// A folder without meta is new, or its making was cut short: meta is the last thing that is written.
absl::Status Folder::Begin() {
  if (HoldsRows() || (high_water_ && !high_water_->empty())) return MetaIsGone();
  if (options_.read_only || !options_.create)
    return absl::NotFoundError(absl::StrCat(options_.path, " is not a data folder of smsflow"));
  const std::uint16_t shards = options_.shards == 0 ? kShardsOfNew : options_.shards;
  high_water_.reset();
  if (auto status = HighWaterFile::Create(*files_, high_water_path_, shards); !status.ok()) return status;
  auto high_water = HighWaterFile::Open(files_, high_water_path_, false);
  if (!high_water.ok()) return high_water.status();
  high_water_ = std::move(*high_water);

  const Hash16 check = index_keys_->CheckValue();
  meta_.set_format(kFormat);
  meta_.set_shards(shards);
  meta_.set_index_key_check(check.data(), check.size());
  meta_.set_uuid(crypto::RandomUuid());
  meta_.set_created_ms(options_.now_ms);
  Batch batch;
  PutMeta(batch, meta_);
  if (auto status = store_->Write(batch, Sync::kYes); !status.ok()) return status;
  created_ = true;
  RestoreBallast().IgnoreError();
  return absl::OkStatus();
}

bool Folder::HoldsRows() const {
  for (const Family family : {Family::kInstances, Family::kJournal, Family::kQueues, Family::kIndexes})
    if (store_->Scan(family, {}, {})->Valid()) return true;
  return false;
}

absl::Status Folder::CheckMeta() const {
  if (meta_.format() > kFormat)
    return absl::FailedPreconditionError(absl::StrCat(options_.path, ": made by a newer smsflow: format ",
                                                      meta_.format(), ", this one reads up to ", kFormat));
  if (meta_.shards() == 0 || meta_.shards() > kShardsMax)
    return absl::DataLossError(absl::StrCat(options_.path, ": its meta row names ", meta_.shards(), " shards"));
  const Hash16 check = index_keys_->CheckValue();
  if (meta_.index_key_check() != std::string_view(reinterpret_cast<const char*>(check.data()), check.size()))
    return absl::FailedPreconditionError(
        absl::StrCat("index key ", key_path_, " is not the one that ", options_.path, " was made with"));
  if (!options_.read_only && options_.shards != 0 && options_.shards != meta_.shards())
    return absl::FailedPreconditionError(absl::StrCat(options_.path, " has ", meta_.shards(), " shards, not ",
                                                      options_.shards, "; the count cannot be changed"));
  return absl::OkStatus();
}

absl::Status Folder::CheckMarks(const RocksStore& store) const {
  if (!high_water_)
    return BeyondRepair(absl::DataLossError(
        absl::StrCat(high_water_path_, " is missing, though the folder holds data; restore it, or the whole folder")));
  if (high_water_->shards() != meta_.shards())
    return BeyondRepair(absl::DataLossError(absl::StrCat(high_water_path_, " is of another folder: it has ",
                                                         high_water_->shards(), " shards, the data ", meta_.shards())));
  for (std::uint16_t i = 0; i < shards(); ++i) {
    const ShardId shard{i};
    const HighWaterMark mark = high_water_->AtOpen(shard);
    if (mark == HighWaterMark()) continue;
    const auto head = FindChainHead(store, shard);
    if (!head.ok()) return head.status();
    const auto marks = GetMarks(store, shard);
    if (!marks.ok()) return marks.status();
    const HighWaterMark found{*marks ? (*marks)->epoch() : 0, head->sequence};
    if (found < mark)
      return absl::DataLossError(absl::StrCat(options_.path, ": acknowledged data is missing: shard ", i,
                                              " ends at sequence ", found.sequence, " of epoch ", found.epoch, ", but ",
                                              mark.sequence, " of epoch ", mark.epoch,
                                              " was acknowledged; restore it"));
  }
  if (store.LastRow() < high_water_->last_row_at_open())
    return absl::DataLossError(absl::StrCat(options_.path, ": acknowledged data is missing: its last row is number ",
                                            store.LastRow(), ", but ", high_water_->last_row_at_open(),
                                            " was acknowledged; restore it"));
  return absl::OkStatus();
}

}  // namespace

std::string NameOfFolder(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return std::string(path);
}

bool RepairMayHelp(const absl::Status& opened) { return absl::IsDataLoss(opened) && !opened.GetPayload(kBeyondRepair); }

absl::StatusOr<std::unique_ptr<DataFolder>> DataFolder::Open(const DataFolderOptions& options) {
  DataFolderOptions normal = options;
  normal.path = NameOfFolder(normal.path);
  auto folder = std::make_unique<Folder>(normal);
  if (auto status = folder->Open(); !status.ok()) return status;
  folder->CountRows();
  return folder;
}

}  // namespace smsflow::storage
