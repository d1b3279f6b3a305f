#include "storage/table_list.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "storage/files.h"
#include "storage/log_end.h"

namespace smsflow::storage {
namespace {

constexpr std::string_view kListPrefix = "MANIFEST-";

// One change of the list, as RocksDB 7.8 writes it:
//
//   change := { tag(varint) value }*       the values as Take() has them; numbers are varints, names have their length
class Change {
 public:
  explicit Change(std::string_view record) : left_(record) {}

  // False: there is something in it that is not known, so nothing of it may be believed.
  bool Take() {
    while (good_ && !left_.empty()) TakeOne();
    return good_;
  }
  std::set<std::uint64_t> Replaced() const {
    std::set<std::uint64_t> replaced;
    // One that only goes to another level is taken from one and added to the other.
    std::set_difference(deleted_.begin(), deleted_.end(), added_.begin(), added_.end(),
                        std::inserter(replaced, replaced.end()));
    return replaced;
  }
  std::uint64_t first_log() const { return first_log_; }

 private:
  enum Tag : std::uint64_t {
    kComparator = 1,
    kLogNumber = 2,
    kNextFile = 3,
    kLastRow = 4,
    kCursor = 5,
    kDeletedFile = 6,
    kPreviousLog = 9,
    kFirstLog = 10,
    kNewFile = 103,
    kFamily = 200,
    kAddFamily = 201,
    kDropFamily = 202,
    kLastFamily = 203,
    kInGroup = 300,
    kMayBeSkipped = 1 << 13,
  };

  void TakeOne() {
    switch (const std::uint64_t tag = Number()) {
      case kLogNumber:
      case kNextFile:
      case kLastRow:
      case kPreviousLog:
      case kFamily:
      case kLastFamily:
      case kInGroup:
        Number();
        break;
      case kComparator:
      case kAddFamily:
        Name();
        break;
      case kDropFamily:
        break;
      case kCursor:
        Number();
        Name();
        break;
      case kFirstLog:
        first_log_ = Number();
        break;
      case kDeletedFile:
        Number();  // the level
        deleted_.insert(Number());
        break;
      case kNewFile:
        TakeNewFile();
        break;
      default:
        if ((tag & kMayBeSkipped) == 0) good_ = false;
        Name();
    }
  }
  void TakeNewFile() {
    constexpr std::uint64_t kEnd = 1;
    Number();  // the level
    added_.insert(Number());
    Number();  // bytes
    Name();
    Name();  // its first and last row
    Number();
    Number();  // and their numbers
    while (good_ && Number() != kEnd) Name();
  }
  std::uint64_t Number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !left_.empty(); shift += 7) {
      const auto byte = static_cast<std::uint8_t>(left_.front());
      left_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    good_ = false;
    return 0;
  }
  void Name() {
    const std::uint64_t size = Number();
    good_ = good_ && size <= left_.size();
    if (good_) left_.remove_prefix(size);
  }

  std::string_view left_;
  bool good_ = true;
  std::set<std::uint64_t> deleted_, added_;
  std::uint64_t first_log_ = 0;
};

}  // namespace

absl::StatusOr<std::string> TableListPath(rocksdb::FileSystem& files, const std::string& folder) {
  const auto current = ReadWholeFile(files, absl::StrCat(folder, "/CURRENT"));
  if (absl::IsNotFound(current.status())) return "";
  if (!current.ok()) return current.status();
  if (!current->starts_with(kListPrefix) || !current->ends_with('\n')) return "";
  const std::string path = absl::StrCat(folder, "/", std::string(absl::StripSuffix(*current, "\n")));
  const auto exists = FileExists(files, path);
  if (!exists.ok()) return exists.status();
  return *exists ? path : "";
}

absl::Status NameNewestTableList(const std::string& path) {
  namespace fs = std::filesystem;
  std::uint64_t newest = 0;
  std::string name;
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    const std::string found = it->path().filename().string();
    std::uint64_t number = 0;
    if (!found.starts_with(kListPrefix) || !absl::SimpleAtoi(found.substr(kListPrefix.size()), &number)) continue;
    if (number < newest) continue;
    newest = number;
    name = found;
  }
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot list ", path));
  if (name.empty()) return absl::NotFoundError(absl::StrCat(path, " has no list of its tables"));
  std::ofstream current(absl::StrCat(path, "/CURRENT"), std::ios::binary | std::ios::trunc);
  current << name << '\n';
  current.close();
  return current ? absl::OkStatus() : absl::UnknownError(absl::StrCat("cannot write ", path, "/CURRENT"));
}

absl::StatusOr<OldFiles> FindOldFiles(rocksdb::FileSystem& files, const std::string& folder) {
  OldFiles old;
  const auto path = TableListPath(files, folder);
  if (!path.ok()) return path.status();
  if (path->empty()) return old;
  const auto list = ReadWholeFile(files, *path);
  if (!list.ok()) return list.status();
  for (const std::string& record : WholeRecords(*list)) {
    Change change(record);
    if (!change.Take()) break;
    old.tables.merge(change.Replaced());
    old.first_log = std::max(old.first_log, change.first_log());
  }
  return old;
}

}  // namespace smsflow::storage
