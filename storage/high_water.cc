#include "storage/high_water.h"

#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "storage/crc32c.h"
#include "storage/data_folder.h"
#include "storage/files.h"
#include "storage/high_water_file.h"
#include "storage/keys.h"
#include "storage/rocks_types.h"

namespace smsflow::storage {
namespace {

constexpr std::string_view kMagic = "smsfl-hw";
constexpr std::uint32_t kMarksFormat = 2;
constexpr std::size_t kHeader = 8 + 4 + 8 + 2;
constexpr std::size_t kLastRow = 8;  // since format 2
constexpr std::size_t kMark = 16;
constexpr std::size_t kChecksum = 4;
constexpr std::size_t kBlock = 4096;
const rocksdb::IOOptions kIo;

// Without checksum and padding.
std::size_t BodySize(std::uint64_t format, std::size_t shards) {
  return kHeader + (format == 1 ? 0 : kLastRow) + shards * kMark;
}
std::size_t SlotSize(std::uint64_t format, std::size_t shards) {
  return (BodySize(format, shards) + kChecksum + kBlock - 1) / kBlock * kBlock;
}

void Append(std::string& bytes, std::uint64_t value, int width) {
  for (int i = width - 1; i >= 0; --i) bytes.push_back(static_cast<char>(value >> (8 * i)));
}

std::string EncodeSlot(std::uint64_t generation, std::uint64_t last_row, const std::vector<HighWaterMark>& marks) {
  std::string slot(kMagic);
  Append(slot, kMarksFormat, 4);
  Append(slot, generation, 8);
  Append(slot, marks.size(), 2);
  Append(slot, last_row, 8);
  for (const HighWaterMark& mark : marks) {
    Append(slot, mark.epoch, 8);
    Append(slot, mark.sequence, 8);
  }
  Append(slot, Crc32c(slot), 4);
  slot.resize(SlotSize(kMarksFormat, marks.size()), '\0');
  return slot;
}

// A whole file: two slots that say the same.
std::string EncodeFile(std::uint64_t generation, std::uint64_t last_row, const std::vector<HighWaterMark>& marks) {
  return EncodeSlot(generation + 1, last_row, marks) + EncodeSlot(generation, last_row, marks);
}

}  // namespace

struct HighWaterFile::Slot {
  std::uint64_t format = 0, generation = 0, last_row = 0;
  int place = 0;
  std::vector<HighWaterMark> marks;

  // nullopt: torn, never a slot, or of a format whose layout is not known here: see NewerFormat().
  static absl::StatusOr<std::optional<Slot>> Decode(std::string_view bytes) {
    if (bytes.size() < kHeader || bytes.substr(0, kMagic.size()) != kMagic) return std::nullopt;
    const std::uint64_t format = ReadBigEndian(bytes.substr(8, 4));
    const std::size_t shards = ReadBigEndian(bytes.substr(20, 2));
    const std::size_t body = BodySize(format, shards);
    const bool whole = shards > 0 && bytes.size() >= body + kChecksum &&
                       ReadBigEndian(bytes.substr(body, kChecksum)) == Crc32c(bytes.substr(0, body));
    if (!whole) return std::nullopt;
    if (format > kMarksFormat)
      return absl::FailedPreconditionError(
          absl::StrCat("made by a newer smsflow: format ", format, ", this one reads up to ", kMarksFormat));
    Slot slot;
    slot.format = format;
    slot.generation = ReadBigEndian(bytes.substr(12, 8));
    if (format != 1) slot.last_row = ReadBigEndian(bytes.substr(kHeader, kLastRow));
    for (std::size_t at = body - shards * kMark; at < body; at += kMark)
      slot.marks.push_back({ReadBigEndian(bytes.substr(at, 8)), ReadBigEndian(bytes.substr(at + 8, 8))});
    return slot;
  }
};

namespace {

// What stands where every format has its number, if that is a newer one; 0: it is not. Of such a file nothing else can
// be known, so it is asked only when no slot is good.
std::uint64_t NewerFormat(std::string_view content) {
  if (content.size() < kHeader || !content.starts_with(kMagic)) return 0;
  const std::uint64_t format = ReadBigEndian(content.substr(8, 4));
  return format > kMarksFormat ? format : 0;
}

}  // namespace

absl::Status HighWaterFile::Create(rocksdb::FileSystem& files, const std::string& path, std::uint16_t shards) {
  return WriteWholeFile(files, path, EncodeFile(0, 0, std::vector<HighWaterMark>(shards)));
}

absl::Status HighWaterFile::ForgetLastRow(rocksdb::FileSystem& files, const std::string& path) {
  const auto content = ReadWholeFile(files, path);
  if (!content.ok()) return content.status();
  const auto newest = Newest(path, *content);
  if (!newest.ok()) return newest.status();
  return WriteWholeFile(files, path, EncodeFile(newest->generation + 1, 0, newest->marks));
}

absl::StatusOr<HighWaterFile::Slot> HighWaterFile::Newest(const std::string& path, std::string_view content) {
  std::optional<Slot> newest;
  // Both slots have the same size, and the file is just the two.
  const std::size_t size = content.size() / 2;
  for (int i = 0; i < 2; ++i) {
    auto slot = Slot::Decode(content.substr(static_cast<std::size_t>(i) * size, size));
    if (!slot.ok()) return slot.status();
    if (!*slot || SlotSize((*slot)->format, (*slot)->marks.size()) != size) continue;
    if (newest && newest->generation > (*slot)->generation) continue;
    newest = std::move(**slot);
    newest->place = i;
  }
  if (newest) return *std::move(newest);
  if (const std::uint64_t format = NewerFormat(content); format != 0)
    return absl::FailedPreconditionError(absl::StrCat(path, " was made by a newer smsflow, or is damaged: format ",
                                                      format, ", this one reads up to ", kMarksFormat));
  return absl::DataLossError(absl::StrCat("both slots of ", path, " are bad: what was acknowledged is not known"));
}

absl::StatusOr<std::unique_ptr<HighWaterFile>> HighWaterFile::Open(std::shared_ptr<rocksdb::FileSystem> files,
                                                                   const std::string& path, bool read_only) {
  const auto content = ReadWholeFile(*files, path);
  if (!content.ok()) return content.status();
  auto newest = Newest(path, *content);
  if (!newest.ok()) return newest.status();
  std::unique_ptr<rocksdb::FSRandomRWFile> file;
  if (!read_only) {
    const auto status = files->NewRandomRWFile(path, {}, &file, nullptr);
    if (!status.ok()) return ToStatus(status, absl::StrCat("open ", path));
  }
  auto result = std::unique_ptr<HighWaterFile>(new HighWaterFile(std::move(files), path, *std::move(newest)));
  result->file_ = std::move(file);
  return result;
}

HighWaterFile::HighWaterFile(std::shared_ptr<rocksdb::FileSystem> files, std::string path, Slot newest)
    : files_(std::move(files)),
      path_(std::move(path)),
      at_open_(std::move(newest.marks)),
      last_row_at_open_(newest.last_row),
      noted_(at_open_.size()),
      last_row_(newest.last_row),
      generation_(newest.generation),
      next_slot_(1 - newest.place),
      old_format_(newest.format < kMarksFormat) {
  for (std::size_t i = 0; i < noted_.size(); ++i) noted_[i].mark = at_open_[i];
}

void HighWaterFile::Note(ShardId shard, HighWaterMark mark) {
  Noting& noting = noted_.at(shard.value);
  {
    const std::lock_guard lock(noting.mutex);
    if (mark <= noting.mark) return;
    noting.mark = mark;
  }
  changed_.store(true, std::memory_order_release);
}

HighWaterMark HighWaterFile::Noted(ShardId shard) const {
  const Noting& noting = noted_.at(shard.value);
  const std::lock_guard lock(noting.mutex);
  return noting.mark;
}

HighWaterMark HighWaterFile::AtOpen(ShardId shard) const { return at_open_.at(shard.value); }

bool HighWaterFile::empty() const {
  if (last_row_at_open_ != 0) return false;
  for (const HighWaterMark& mark : at_open_)
    if (mark != HighWaterMark()) return false;
  return true;
}

// Not when it is opened: the disk may be full then, and whoever is refused for another reason can go back.
absl::Status HighWaterFile::WriteAnew(std::uint64_t last_row, const std::vector<HighWaterMark>& marks) {
  if (auto status = WriteWholeFile(*files_, path_, EncodeFile(generation_ + 1, last_row, marks)); !status.ok())
    return status;
  std::unique_ptr<rocksdb::FSRandomRWFile> file;
  if (const auto status = files_->NewRandomRWFile(path_, {}, &file, nullptr); !status.ok())
    return ToStatus(status, absl::StrCat("open ", path_));
  file_ = std::move(file);
  generation_ += 2;
  next_slot_ = 1;
  old_format_ = false;
  return absl::OkStatus();
}

absl::Status HighWaterFile::Save() {
  const std::lock_guard lock(saving_);
  if (!file_) return absl::FailedPreconditionError("the data folder is open for reading only");
  const std::uint64_t last_row = count_rows_ ? count_rows_() : last_row_;
  if (!changed_.exchange(false, std::memory_order_acquire) && last_row == last_row_) return absl::OkStatus();
  std::vector<HighWaterMark> marks;
  for (std::size_t i = 0; i < noted_.size(); ++i) marks.push_back(Noted(ShardId{static_cast<std::uint16_t>(i)}));
  if (old_format_)
    if (auto status = WriteAnew(last_row, marks); !status.ok()) {
      changed_.store(true, std::memory_order_release);
      return status;
    }
  const std::string slot = EncodeSlot(generation_ + 1, last_row, marks);
  auto status = file_->Write(static_cast<std::uint64_t>(next_slot_) * slot.size(), slot, kIo, nullptr);
  if (status.ok()) status = file_->Sync(kIo, nullptr);
  if (!status.ok()) {
    // The slot may be torn now: the next try takes the same one again, for the other is whole.
    changed_.store(true, std::memory_order_release);
    return ToStatus(status, absl::StrCat("write ", path_));
  }
  last_row_ = last_row;
  ++generation_;
  next_slot_ = 1 - next_slot_;
  return absl::OkStatus();
}

}  // namespace smsflow::storage
