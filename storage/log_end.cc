#include "storage/log_end.h"

#include <memory>
#include <string_view>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "storage/crc32c.h"
#include "storage/rocks_types.h"
#include "storage/table_list.h"

namespace smsflow::storage {
namespace {

constexpr std::size_t kBlockBytes = 32 << 10, kHeaderBytes = 7;
enum Type : unsigned { kWholeRecord = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

std::uint32_t LittleEndian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
  return value;
}

std::uint32_t Masked(std::uint32_t crc) { return (crc >> 15 | crc << 17) + 0xA282EAD8U; }

// Walks over the blocks of one log.
class Walk {
 public:
  void Take(std::string_view block) {
    std::size_t at = 0;
    while (!broken_ && at + kHeaderBytes <= block.size()) {
      const unsigned type = static_cast<std::uint8_t>(block[at + 6]);
      const bool goes_on = type == kMiddle || type == kLast;
      if (!IsRecord(block, at) || within_ != goes_on) {
        broken_ = true;
        claims_more_ = at + Bytes(block, at) > block.size();
        break;
      }
      within_ = type == kFirst || type == kMiddle;
      at += Bytes(block, at);
      if (!within_) whole_bytes_ = bytes_ + at;
    }
    for (; broken_ && claims_more_ && !followed_ && at + kHeaderBytes <= block.size(); ++at)
      followed_ = IsRecord(block, at);
    padding_ = !broken_ && block.size() == kBlockBytes ? block.size() - at : 0;
    bytes_ += block.size();
  }
  LogEnd End() const {
    const bool whole = !broken_ && !within_ && whole_bytes_ + padding_ == bytes_;
    return {followed_ ? LogEnd::kDamaged : whole ? LogEnd::kWhole : LogEnd::kTorn, whole_bytes_, bytes_};
  }

 private:
  static std::size_t Bytes(std::string_view block, std::size_t at) {
    return kHeaderBytes + LittleEndian(block.substr(at + 4, 2));
  }
  static bool IsRecord(std::string_view block, std::size_t at) {
    const unsigned type = static_cast<std::uint8_t>(block[at + 6]);
    if (type < kWholeRecord || type > kLast || at + Bytes(block, at) > block.size()) return false;
    const std::string_view summed = block.substr(at + 6, Bytes(block, at) - 6);
    return LittleEndian(block.substr(at, 4)) == Masked(Crc32c(summed));
  }

  std::uint64_t bytes_ = 0, whole_bytes_ = 0, padding_ = 0;
  bool within_ = false;       // a record of several parts
  bool broken_ = false;       // here it ends for RocksDB too
  bool claims_more_ = false;  // because a record is longer than its block
  bool followed_ = false;     // by a record that is whole
};

// Empty: there is none.
std::string NewestLogPath(rocksdb::FileSystem& files, const std::string& folder) {
  std::vector<std::string> names;
  if (!files.GetChildren(folder, {}, &names, nullptr).ok()) return "";
  std::uint64_t newest = 0, number = 0;
  std::string found;
  for (const std::string& name : names) {
    if (!name.ends_with(".log") || !absl::SimpleAtoi(name.substr(0, name.size() - 4), &number) || number < newest)
      continue;
    newest = number;
    found = absl::StrCat(folder, "/", name);
  }
  return found;
}

}  // namespace

absl::StatusOr<LogEnd> FindLogEnd(rocksdb::FileSystem& files, const std::string& path) {
  std::unique_ptr<rocksdb::FSSequentialFile> file;
  auto status = files.NewSequentialFile(path, {}, &file, nullptr);
  Walk walk;
  std::string block, buffer(kBlockBytes, '\0');
  while (status.ok()) {
    rocksdb::Slice part;
    status = file->Read(kBlockBytes - block.size(), {}, &part, buffer.data(), nullptr);
    if (!status.ok()) break;
    block.append(part.data(), part.size());
    if (block.size() < kBlockBytes && !part.empty()) continue;
    if (!block.empty()) walk.Take(block);
    if (part.empty()) return walk.End();
    block.clear();
  }
  return ToStatus(status, absl::StrCat("read ", path));
}

absl::StatusOr<LogEnds> LookAtEnds(rocksdb::FileSystem& files, const std::string& folder, bool cut_log) {
  const std::string list = TableListPath(files, folder), log = cut_log ? "" : NewestLogPath(files, folder);
  LogEnds ends;
  for (const std::string* path : {&list, &log}) {
    const absl::StatusOr<LogEnd> end = path->empty() ? LogEnd() : FindLogEnd(files, *path);
    if (!end.ok() || end->kind == LogEnd::kWhole) continue;
    if (end->kind == LogEnd::kDamaged)
      return absl::DataLossError(
          absl::StrCat(*path, " is damaged after ", end->whole_bytes, " of its ", end->bytes, " bytes"));
    if (path == &list) {
      ends.list_is_torn = true;
    } else {
      ends.torn_log = absl::StrCat(log, " ends within a record: its last ", end->bytes - end->whole_bytes,
                                   " bytes are passed over, as a crash leaves them");
    }
  }
  return ends;
}

}  // namespace smsflow::storage
