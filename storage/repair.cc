#include "storage/repair.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "rocksdb/db.h"
#include "rocksdb/file_system.h"
#include "storage/epoch.h"
#include "storage/folder_lock.h"
#include "storage/high_water_file.h"
#include "storage/log_end.h"
#include "storage/rocks_store.h"
#include "storage/rocks_types.h"
#include "storage/salvage.h"
#include "storage/table_list.h"

namespace smsflow::storage {
namespace {

namespace fs = std::filesystem;

absl::Status Failed(const std::string& what, const fs::path& path, const std::error_code& error) {
  return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot ", what, " ", path.string()));
}

absl::Status SyncPath(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 || ::fsync(fd) != 0) {
    const int error = errno;
    if (fd >= 0) ::close(fd);
    return absl::ErrnoToStatus(error, absl::StrCat("cannot sync ", path.string()));
  }
  ::close(fd);
  return absl::OkStatus();
}

// Regular files of one folder, but for locks and the ballast, which the copy makes itself.
absl::Status CopyFiles(const fs::path& from, const fs::path& to) {
  std::error_code error;
  if (!fs::create_directory(to, error)) {
    if (!error) return absl::AlreadyExistsError(absl::StrCat(to.string(), " exists already; name a new folder"));
    return Failed("make", to, error);
  }
  fs::permissions(to, fs::perms::owner_all, error);
  for (fs::directory_iterator it(from, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!it->is_regular_file() || name == "ballast" || name == "LOCK" || name == "LOCK-smsflow") continue;
    if (!fs::copy_file(it->path(), to / name, error)) return Failed("copy", it->path(), error);
    if (auto status = SyncPath(to / name); !status.ok()) return status;
  }
  if (error) return Failed("list", from, error);
  return SyncPath(to);
}

std::vector<std::string> OtherFoldersIn(const fs::path& data) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(data, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (it->is_directory() && name != "db" && name != "lost+found") names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status Copy(const std::string& from, const std::string& to) {
  const auto lock = FolderLock::Take(from, FolderLock::Mode::kReader);
  if (absl::IsNotFound(lock.status()))
    return absl::NotFoundError(absl::StrCat(from, " is not a data folder of smsflow"));
  if (!lock.ok()) return lock.status();
  if (auto status = CopyFiles(from, to); !status.ok()) return status;
  return CopyFiles(fs::path(from) / "db", fs::path(to) / "db");
}

// Something is damaged or gone. Of what else there may be, such as a disk that fails, no other means helps.
bool MayBeMended(const absl::Status& status) {
  return absl::IsDataLoss(status) || absl::IsNotFound(status) || absl::IsInvalidArgument(status);
}

// Where it can be read, a table that it names and that is gone or cut off is missing: the others do without it, and
// nothing says which rows were its own.
absl::StatusOr<bool> ListCanBeRead(const std::string& path) {
  rocksdb::FileSystem& files = *rocksdb::FileSystem::Default();
  const auto list = TableListPath(files, path);
  if (!list.ok()) return list.status();
  if (list->empty()) return false;
  const auto end = FindLogEnd(files, *list, LogOf::kTables);
  if (!end.ok()) return end.status();
  std::vector<std::string> families;
  const auto listed = ToStatus(rocksdb::DB::ListColumnFamilies({}, path, &families), absl::StrCat("read ", *list));
  if (!listed.ok() && !MayBeMended(listed)) return listed;
  return end->kind == LogEnd::kWhole && listed.ok();
}

// Makes the copy anew: a means that did not help may have changed it.
absl::Status CopyAgain(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::remove_all(to, error);
  return Copy(from, to);
}

absl::StatusOr<std::unique_ptr<DataFolder>> OpenWithListNamed(const std::string& from,
                                                              const DataFolderOptions& options) {
  if (auto status = CopyAgain(from, options.path); !status.ok()) return status;
  if (auto status = NameNewestTableList(absl::StrCat(options.path, "/db")); !status.ok()) return status;
  return DataFolder::Open(options);
}

std::string MarksOf(const std::string& folder) { return absl::StrCat(folder, "/high-water"); }

absl::StatusOr<std::unique_ptr<DataFolder>> OpenMadeAnew(const std::string& from, const DataFolderOptions& options,
                                                         std::uint64_t acknowledged, RepairedCopy& repaired) {
  if (auto status = CopyAgain(from, options.path); !status.ok()) return status;
  RocksStoreOptions database;
  database.path = absl::StrCat(options.path, "/db");
  database.cut_log = true;
  auto made = MakeAnew(database, acknowledged);
  if (!made.ok()) return made.status();
  repaired.dropped = *std::move(made);
  repaired.has_last_row = false;
  const auto files = rocksdb::FileSystem::Default();
  if (auto status = HighWaterFile::ForgetLastRow(*files, MarksOf(options.path)); !status.ok()) return status;
  return DataFolder::Open(options);
}

absl::StatusOr<RepairedCopy> OpenCopy(const std::string& from, DataFolderOptions options) {
  RepairedCopy repaired;
  const auto marks = HighWaterFile::Open(rocksdb::FileSystem::Default(), MarksOf(options.path), /*read_only=*/true);
  if (!marks.ok() && !MayBeMended(marks.status())) return marks.status();
  const std::uint64_t acknowledged = marks.ok() ? (*marks)->last_row_at_open() : 0;
  repaired.has_last_row = acknowledged != 0;
  auto folder = DataFolder::Open(options);
  if (MayBeMended(folder.status())) {
    options.cut_log = true;
    repaired.by = RepairedBy::kCuttingTheLog;
    folder = DataFolder::Open(options);
  }
  const auto list = TableListPath(*rocksdb::FileSystem::Default(), absl::StrCat(from, "/db"));
  if (!list.ok()) return list.status();
  if (MayBeMended(folder.status()) && list->empty()) {
    repaired.by = RepairedBy::kNamingTheList;
    folder = OpenWithListNamed(from, options);
  }
  if (marks.ok() && MayBeMended(folder.status())) {
    const auto can_be_read = ListCanBeRead(absl::StrCat(from, "/db"));
    if (!can_be_read.ok()) return can_be_read.status();
    if (!*can_be_read) {
      repaired.by = RepairedBy::kMakingAnew;
      folder = OpenMadeAnew(from, options, acknowledged, repaired);
    }
  }
  if (MayBeMended(folder.status())) return absl::DataLossError(folder.status().message());
  if (!folder.ok()) return folder.status();
  repaired.folder = *std::move(folder);
  if (repaired.dropped.empty()) repaired.dropped = repaired.folder->torn_end();
  return repaired;
}

}  // namespace

absl::StatusOr<RepairedCopy> RepairCopy(const DataFolderOptions& from, const std::string& to) {
  std::error_code error;
  const std::string place = NameOfFolder(to), path = absl::StrCat(place, ".unfinished");
  if (fs::exists(place, error)) return absl::AlreadyExistsError(absl::StrCat(to, " exists already; name a new folder"));
  if (fs::exists(path, error))
    return absl::AlreadyExistsError(
        absl::StrCat(path, " is there, as a repair leaves it that was interrupted; remove it, or name another place"));
  DataFolderOptions options = from;
  options.path = path;
  if (options.index_key_path.empty()) options.index_key_path = absl::StrCat(NameOfFolder(from.path), ".key");
  options.create = options.read_only = false;
  options.ballast_bytes = 0;
  absl::StatusOr<RepairedCopy> repaired = absl::UnknownError("");
  if (auto status = Copy(from.path, path); status.ok()) {
    repaired = OpenCopy(from.path, options);
  } else {
    repaired = status;
  }
  if (repaired.ok())
    if (auto status = BeginEpoch(*repaired->folder, options.now_ms); !status.ok()) repaired = status;
  if (repaired.ok()) {
    repaired->path = path;
    repaired->left_out = OtherFoldersIn(from.path);
  } else if (!absl::IsAlreadyExists(repaired.status())) {  // another's, made meanwhile
    fs::remove_all(path, error);
  }
  return repaired;
}

absl::Status KeepCopy(RepairedCopy copy, const std::string& to) {
  copy.folder.reset();
  const fs::path place = NameOfFolder(to);
  if (auto status = SyncPath(copy.path); !status.ok()) return status;
  std::error_code error;
  fs::rename(copy.path, place, error);
  if (error) return Failed("put in its place", place, error);
  return SyncPath(place.has_parent_path() ? place.parent_path() : ".");
}

void DropCopy(RepairedCopy copy) {
  copy.folder.reset();
  std::error_code ignored;
  fs::remove_all(copy.path, ignored);
}

}  // namespace smsflow::storage
