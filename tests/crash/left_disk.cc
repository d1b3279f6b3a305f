#include "tests/crash/left_disk.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <utility>

#include "engine/inspect.h"
#include "rocksdb/file_system.h"
#include "storage/repair.h"

namespace smsflow::crash {
namespace {

namespace fs = std::filesystem;

// Room that is only reserved takes longer than all else on a disk of memory, and says nothing here.
class WithoutReserve final : public rocksdb::FileSystemWrapper {
 public:
  WithoutReserve() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "smsflow-without-reserve"; }
  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override {
    rocksdb::FileOptions thrifty = options;
    thrifty.allow_fallocate = false;
    return target()->NewWritableFile(path, thrifty, result, debug);
  }
};

}  // namespace

std::string KindOfFile(const std::string& path) {
  const std::string name = fs::path(path).filename().string();
  if (name.ends_with(".log")) return "log";
  if (name.ends_with(".sst")) return "table";
  if (name.starts_with("OPTIONS") || name == "IDENTITY") return "options";
  if (name.starts_with("MANIFEST")) return "manifest";
  return name;
}

bool IsClear(const absl::Status& status) {
  return status.message().size() > 20 && status.message().find('\n') == std::string_view::npos;
}

LeftDisk::LeftDisk(const RecordedRun& run, std::string folder) : run_(run), folder_(std::move(folder)) {}

const Moment* LeftDisk::LastBefore(std::size_t operations) const {
  const auto after =
      std::upper_bound(run_.moments.begin(), run_.moments.end(), operations,
                       [](std::size_t count, const Moment& moment) { return count < moment.operations; });
  return after == run_.moments.begin() ? nullptr : &*std::prev(after);
}

void LeftDisk::Write(const Image& image, const char* name) const {
  const std::string to = folder_ + name;
  fs::remove_all(to);
  fs::create_directories(to + "/db");
  for (const auto& [path, bytes] : image) {
    std::ofstream(to + path.substr(run_.path.size()), std::ios::binary)
        .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  }
  fs::copy_file(run_.path + ".key", to + ".key", fs::copy_options::overwrite_existing);
  std::ofstream(to + "/LOCK-smsflow");  // made past the file layer, before all else
}

absl::StatusOr<std::unique_ptr<storage::DataFolder>> LeftDisk::Open(const Image& image) const {
  Write(image, "/data");
  storage::DataFolderOptions options = OptionsOf(folder_ + "/data");
  options.shards = kRecordedShards;
  static const auto files = std::make_shared<WithoutReserve>();
  options.file_system = files;
  return storage::DataFolder::Open(options);
}

std::string LeftDisk::Missing(storage::DataFolder& folder, const Needed& need) const {
  for (std::uint16_t i = 0; i < kRecordedShards; ++i) {
    const std::string shard = "shard " + std::to_string(i);
    const auto head = storage::FindChainHead(folder.store(), ShardId{i});
    if (!head.ok()) return shard + ": " + head.status().ToString();
    if (head->sequence < need.sequences[i])
      return shard + " ends at " + std::to_string(head->sequence) + ", but " + std::to_string(need.sequences[i]) +
             " was acknowledged";
    if (head->sequence >= run_.chain[i].size()) return shard + " has more than was ever written";
    if (head->chain != run_.chain[i][head->sequence]) return shard + " has another journal than the one written";
    std::string wrong = run_.own_rows.Wrong(folder.store(), ShardId{i}, head->sequence, need.operations);
    if (!wrong.empty()) return wrong;
  }
  return Inspected(folder);
}

std::string LeftDisk::Inspected(storage::DataFolder& folder) {
  engine::Inspector inspector(folder.store(), folder.index_keys(), kRecordedShards);
  std::string finding;
  const auto status = inspector.Run([&](const std::string& text) { finding = text; }, [](const auto&) { return true; });
  return status.ok() ? finding : status.ToString();
}

std::string LeftDisk::Revived(storage::DataFolder& folder, const Moment& moment, bool a_day_later) const {
  constexpr std::int64_t kSoonMs = 5'000, kDayMs = 86'400'000;
  std::string wrong = Revive(folder, moment, moment.passed_ms + (a_day_later ? kDayMs : kSoonMs));
  if (wrong.empty()) wrong = Inspected(folder);
  return wrong.empty() ? "" : "the engine began, and then: " + wrong;
}

std::string LeftDisk::Repair(const Needed& need, const Moment* moment) const {
  const std::string to = folder_ + "/copy";
  fs::remove_all(to + ".unfinished");  // of the last one, which was not kept
  const auto copy = storage::RepairCopy(OptionsOf(folder_ + "/data"), to);
  if (!copy.ok()) return IsClear(copy.status()) ? std::string(copy.status().message()) : "it refused without a reason";
  std::string wrong = Missing(*copy->folder, need);
  if (wrong.empty() && moment != nullptr) wrong = Revived(*copy->folder, *moment, /*a_day_later=*/false);
  return wrong;
}

std::string LeftDisk::Keep(const Image& image) const {
  Write(image, "/kept");
  return "the disk that was left is in " + folder_ + "/kept";
}

}  // namespace smsflow::crash
