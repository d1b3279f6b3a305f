#include "storage/log_end.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "storage/crc32c.h"
#include "storage/rocks_types.h"

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

std::size_t Bytes(std::string_view block, std::size_t at) {
  return kHeaderBytes + LittleEndian(block.substr(at + 4, 2));
}

bool IsRecord(std::string_view block, std::size_t at) {
  const unsigned type = static_cast<std::uint8_t>(block[at + 6]);
  if (type < kWholeRecord || type > kLast || at + Bytes(block, at) > block.size()) return false;
  const std::string_view summed = block.substr(at + 6, Bytes(block, at) - 6);
  return LittleEndian(block.substr(at, 4)) == Masked(Crc32c(summed));
}

// With one bit of its length or type turned back it is one.
bool WasRecord(std::string_view block, std::size_t at) {
  const std::string header(block.substr(at, kHeaderBytes));
  for (std::size_t bit = 0; bit < 24; ++bit) {
    std::string turned = header;
    turned[4 + bit / 8] = static_cast<char>(turned[4 + bit / 8] ^ (1 << (bit % 8)));
    if (at + Bytes(turned, 0) > block.size()) continue;
    turned.append(block.substr(at + kHeaderBytes, Bytes(turned, 0) - kHeaderBytes));
    if (IsRecord(turned, 0)) return true;
  }
  return false;
}

// Walks over the blocks of one log.
class Walk {
 public:
  explicit Walk(LogOf of) : of_(of) {}

  void Take(std::string_view block) {
    std::size_t at = 0;
    while (!broken_ && at + kHeaderBytes <= block.size()) {
      const unsigned type = static_cast<std::uint8_t>(block[at + 6]);
      const bool goes_on = type == kMiddle || type == kLast;
      if (!IsRecord(block, at) || within_ != goes_on) {
        broken_ = true;
        damaged_ = WasRecord(block, at);
        break;
      }
      TakePart(type, block.substr(at + kHeaderBytes, Bytes(block, at) - kHeaderBytes));
      at += Bytes(block, at);
      if (!within_) whole_bytes_ = bytes_ + at;
    }
    for (std::size_t next = at; broken_ && !damaged_ && next + kHeaderBytes <= block.size(); ++next)
      damaged_ = Follows(block, next);
    padding_ = !broken_ && block.size() == kBlockBytes ? block.size() - at : 0;
    bytes_ += block.size();
  }
  LogEnd End() const {
    const bool whole = !broken_ && !within_ && whole_bytes_ + padding_ == bytes_;
    return {damaged_ ? LogEnd::kDamaged
            : whole  ? LogEnd::kWhole
                     : LogEnd::kTorn,
            whole_bytes_, bytes_, first_row_, next_row_};
  }

 private:
  static constexpr std::size_t kBatchHeaderBytes = 12;  // of what is in a record of rows: its first's number, how many

  void TakePart(unsigned type, std::string_view bytes) {
    if (type == kWholeRecord || type == kFirst) start_.clear();
    start_.append(bytes.substr(0, kBatchHeaderBytes - start_.size()));
    within_ = type == kFirst || type == kMiddle;
    if (within_ || of_ != LogOf::kRows || start_.size() < kBatchHeaderBytes) return;
    const std::uint64_t row = Number(start_);
    if (first_row_ == 0) first_row_ = row;
    next_row_ = row + LittleEndian(std::string_view(start_).substr(8, 4));
  }
  static std::uint64_t Number(std::string_view batch) {
    return LittleEndian(batch.substr(0, 4)) | static_cast<std::uint64_t>(LittleEndian(batch.substr(4, 4))) << 32;
  }
  // A record after the break. What a client sent may have the form of one, and stands in rows as it came: but it knows
  // neither their numbers nor where a block begins, and no records follow it to the end of the block.
  bool Follows(std::string_view block, std::size_t at) const {
    if (of_ == LogOf::kRows && !MayFollow(block, at)) return false;
    for (; at + kHeaderBytes <= block.size(); at += Bytes(block, at))
      if (!IsRecord(block, at)) return false;
    return true;
  }
  bool MayFollow(std::string_view block, std::size_t at) const {
    const unsigned type = static_cast<std::uint8_t>(block[at + 6]);
    const std::string_view batch = block.substr(at + kHeaderBytes);
    if (type == kMiddle || type == kLast || batch.size() < kBatchHeaderBytes) return at == 0;
    const std::uint64_t between = bytes_ + at - whole_bytes_;  // a row takes a byte at least
    return next_row_ == 0 || Number(batch) - next_row_ <= between;
  }

  const LogOf of_;
  std::uint64_t bytes_ = 0, whole_bytes_ = 0, padding_ = 0;
  std::uint64_t first_row_ = 0, next_row_ = 0;
  std::string start_;     // of the record
  bool within_ = false;   // a record of several parts
  bool broken_ = false;   // here it ends for RocksDB too, or it reports it
  bool damaged_ = false;  // and not as a crash ends it
};

}  // namespace

std::string Damaged(const std::string& path, const LogEnd& end) {
  return absl::StrCat(path, " is damaged after ", end.whole_bytes, " of its ", end.bytes, " bytes");
}

absl::StatusOr<LogEnd> FindLogEnd(rocksdb::FileSystem& files, const std::string& path, LogOf of) {
  std::unique_ptr<rocksdb::FSSequentialFile> file;
  auto status = files.NewSequentialFile(path, {}, &file, nullptr);
  Walk walk(of);
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

std::vector<std::string> WholeRecords(std::string_view log) {
  std::vector<std::string> records;
  std::string record;
  bool within = false;
  for (; !log.empty(); log.remove_prefix(std::min(log.size(), kBlockBytes))) {
    const std::string_view block = log.substr(0, kBlockBytes);
    for (std::size_t at = 0; at + kHeaderBytes <= block.size(); at += Bytes(block, at)) {
      const unsigned type = static_cast<std::uint8_t>(block[at + 6]);
      const bool goes_on = type == kMiddle || type == kLast;
      if (!IsRecord(block, at) || within != goes_on) return records;
      if (!goes_on) record.clear();
      record.append(block.substr(at + kHeaderBytes, Bytes(block, at) - kHeaderBytes));
      within = type == kFirst || type == kMiddle;
      if (!within) records.push_back(record);
    }
  }
  return records;
}

absl::StatusOr<std::vector<LogFile>> LookAtLogs(rocksdb::FileSystem& files, const std::string& folder) {
  std::vector<LogFile> logs;
  std::vector<std::string> names;
  const absl::Status listed = ToStatus(files.GetChildren(folder, {}, &names, nullptr), absl::StrCat("list ", folder));
  if (absl::IsNotFound(listed)) return logs;
  if (!listed.ok()) return listed;
  for (const std::string& name : names) {
    LogFile log;
    if (!name.ends_with(".log") || !absl::SimpleAtoi(name.substr(0, name.size() - 4), &log.number)) continue;
    log.path = absl::StrCat(folder, "/", name);
    const auto end = FindLogEnd(files, log.path, LogOf::kRows);
    log.read = end.status();
    log.end = end.value_or(LogEnd());
    logs.push_back(std::move(log));
  }
  std::sort(logs.begin(), logs.end(),
            [](const LogFile& left, const LogFile& right) { return left.number < right.number; });
  return logs;
}

absl::Status AllWereRead(const std::vector<LogFile>& logs, std::uint64_t first) {
  for (const LogFile& log : logs)
    if (log.number >= first && !log.read.ok()) return log.read;
  return absl::OkStatus();
}

std::optional<LogDamage> FindDamage(const std::vector<LogFile>& logs, std::uint64_t first) {
  std::optional<std::size_t> before;  // the last one with rows
  for (std::size_t i = 0; i < logs.size(); ++i) {
    const auto& [number, path, end, read] = logs[i];
    if (number < first) continue;
    // One that ends within a record is as a crash left it when the next begins with the rows that would have followed.
    if (before && end.first_row != 0 && end.first_row != logs[*before].end.next_row) {
      const LogFile& log = logs[*before];
      return LogDamage{*before, log.end.kind == LogEnd::kTorn
                                    ? Damaged(log.path, log.end)
                                    : absl::StrCat("between the last row of ", log.path, " and the first of ", path,
                                                   " rows are missing")};
    }
    if (end.kind == LogEnd::kDamaged) return LogDamage{i, Damaged(path, end)};
    if (end.first_row != 0) before = i;
  }
  return std::nullopt;
}

const LogFile* LastLog(const std::vector<LogFile>& logs) {
  const auto last = std::find_if(logs.rbegin(), logs.rend(), [](const LogFile& log) { return log.end.bytes != 0; });
  return last == logs.rend() ? nullptr : &*last;
}

std::string TornEnd(const std::vector<LogFile>& logs) {
  const LogFile* last = LastLog(logs);
  if (last == nullptr || last->end.kind != LogEnd::kTorn) return "";
  return absl::StrCat(last->path, " ends within a record: its last ", last->end.bytes - last->end.whole_bytes,
                      " bytes are passed over, as a crash leaves them");
}

absl::Status CutLogs(const std::vector<LogFile>& logs, const LogDamage& damage) {
  const LogFile& last = logs[damage.log];
  std::error_code error;
  std::filesystem::resize_file(last.path, last.end.whole_bytes, error);
  for (std::size_t i = damage.log + 1; !error && i < logs.size(); ++i) std::filesystem::remove(logs[i].path, error);
  return error ? absl::ErrnoToStatus(error.value(), absl::StrCat("cannot cut ", last.path)) : absl::OkStatus();
}

}  // namespace smsflow::storage
