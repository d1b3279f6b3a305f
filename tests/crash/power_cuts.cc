#include "tests/crash/power_cuts.h"

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

std::string KindOfName(const std::string& path) {
  const std::string name = fs::path(path).filename().string();
  if (name.ends_with(".log")) return "log";
  if (name.ends_with(".sst")) return "table";
  if (name.starts_with("OPTIONS") || name == "IDENTITY") return "options";
  if (name.starts_with("MANIFEST") || name == "CURRENT") return "manifest";
  return name;
}

// A message for the operator at 3 a.m.: a line that names what is wrong.
bool IsClear(const absl::Status& status) {
  return status.message().size() > 20 && status.message().find('\n') == std::string_view::npos;
}

}  // namespace

PowerCuts::PowerCuts(const RecordedRun& run, std::string folder, std::uint64_t seed)
    : run_(run), folder_(std::move(folder)), random_(seed) {}

void PowerCuts::Broken(const Image& image, const std::string& where, const std::string& what) {
  broken_.push_back(where + ": " + what + "; the disk that was left is in " + folder_ + "/kept");
  Write(image, "/kept");
}

const Moment* PowerCuts::LastBefore(std::size_t operations) const {
  const auto after =
      std::upper_bound(run_.moments.begin(), run_.moments.end(), operations,
                       [](std::size_t count, const Moment& moment) { return count < moment.operations; });
  return after == run_.moments.begin() ? nullptr : &*std::prev(after);
}

void PowerCuts::Write(const Image& image, const char* name) const {
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

absl::StatusOr<std::unique_ptr<storage::DataFolder>> PowerCuts::Open() const {
  storage::DataFolderOptions options = OptionsOf(folder_ + "/data");
  options.shards = kRecordedShards;
  static const auto files = std::make_shared<WithoutReserve>();
  options.file_system = files;
  return storage::DataFolder::Open(options);
}

std::string PowerCuts::Missing(storage::DataFolder& folder, const Sequences& need) const {
  for (std::uint16_t i = 0; i < kRecordedShards; ++i) {
    const std::string shard = "shard " + std::to_string(i);
    const auto head = storage::FindChainHead(folder.store(), ShardId{i});
    if (!head.ok()) return shard + ": " + head.status().ToString();
    if (head->sequence < need[i])
      return shard + " ends at " + std::to_string(head->sequence) + ", but " + std::to_string(need[i]) +
             " was acknowledged";
    if (head->sequence >= run_.chain[i].size()) return shard + " has more than was ever written";
    if (head->chain != run_.chain[i][head->sequence]) return shard + " has another journal than the one written";
  }
  // Every record against its chain, every row against its record.
  engine::Inspector inspector(folder.store(), folder.index_keys(), kRecordedShards);
  std::string finding;
  const auto status = inspector.Run([&](const std::string& text) { finding = text; }, [](const auto&) { return true; });
  return status.ok() ? finding : status.ToString();
}

// As `smsflow db repair` does it: a copy that opens, and is kept only when it is whole. Empty: it was.
std::string PowerCuts::Repair(const Image& image, const Sequences& need) const {
  Write(image, "/left");
  const std::string to = folder_ + "/copy";
  fs::remove_all(to);
  storage::DataFolderOptions from = OptionsOf(folder_ + "/left");
  const auto copy = storage::RepairCopy(from, to);
  if (!copy.ok()) return IsClear(copy.status()) ? std::string(copy.status().message()) : "it refused without a reason";
  return Missing(*copy->folder, need);
}

void PowerCuts::CutOnce(std::size_t after, Loss loss, const DiskModel& model) {
  const Image image = model.After(loss, random_);
  std::size_t hash = 0;
  for (const auto& [path, bytes] : image)
    hash = hash * 1'000'003 + std::hash<std::string>()(path) * 31 + std::hash<std::string>()(bytes);
  if (std::exchange(last_[loss], hash) == hash) {
    ++cuts_.same;
    return;
  }
  ++cuts_.cuts;
  ++cuts_.kinds[std::string(NameOf(run_.disk->operations()[after - 1].kind))];
  ++cuts_.losses[std::string(NameOf(loss))];
  const std::string where =
      "a power cut after operation " + std::to_string(after) + " that loses " + std::string(NameOf(loss));
  const Moment* moment = LastBefore(after);
  const Sequences need = moment == nullptr ? Sequences(kRecordedShards) : moment->acknowledged;
  Write(image, "/data");
  {
    const auto opened = Open();
    if (opened.ok()) {
      ++cuts_.recovered;
      if (const std::string missing = Missing(**opened, need); !missing.empty()) Broken(image, where, missing);
      return;
    }
    if (!IsClear(opened.status())) return Broken(image, where, "it refused without a reason");
  }
  const std::string refused = Repair(image, need);
  if (!refused.empty()) return Broken(image, where, "nothing that was acknowledged is missing, and yet: " + refused);
  ++cuts_.repaired;
}

void PowerCuts::Cut(double of_all, const std::function<bool()>& late) {
  std::bernoulli_distribution drawn(of_all);
  DiskModel model;
  std::size_t after = 0;
  for (const DiskOperation& operation : run_.disk->operations()) {
    model.Apply(operation);
    ++after;
    for (const Loss loss : kLosses) {
      if (of_all < 1 && !drawn(random_)) continue;
      CutOnce(after, loss, model);
      if (!broken_.empty() || late()) return;
    }
  }
}

std::uint64_t PowerCuts::SizeAtMark(const std::string& log, const Moment& moment) const {
  std::size_t marked = 0, at = 0, file = 0;
  for (const Moment& each : run_.moments)
    if (each.all_marked && each.operations <= moment.operations) marked = each.operations;
  std::uint64_t size = 0;
  for (const DiskOperation& operation : run_.disk->operations()) {
    if (++at > marked) break;
    if (operation.kind == DiskOperation::kMake && operation.path == log) {
      file = operation.file;
      size = 0;
    }
    if (operation.kind == DiskOperation::kWrite && operation.file == file && file != 0)
      size = operation.offset + operation.bytes.size();
  }
  return size;
}

void PowerCuts::FlipOnce(const Moment& moment, const Image& image, const Sequences& marked, std::uint64_t marked_log) {
  std::vector<std::string> paths;
  std::string log;
  for (const auto& [path, bytes] : image) {
    if (bytes.empty() || KindOfName(path) == "ballast") continue;
    paths.push_back(path);
    if (KindOfName(path) == "log") log = std::max(log, path);
  }
  // Every second in the log, where what is new lies.
  const std::string& path = random_() % 2 == 0 && !log.empty() ? log : paths[random_() % paths.size()];
  Image flipped = image;
  std::string& bytes = flipped[path];
  const std::size_t at = random_() % bytes.size();
  bytes[at] = static_cast<char>(bytes[at] ^ (1 << (random_() % 8)));
  const std::string kind = KindOfName(path);
  const std::string where = "a bit flipped in byte " + std::to_string(at) + " of " +
                            fs::path(path).filename().string() + " as it was after operation " +
                            std::to_string(moment.operations);
  ++flips_.flips;
  ++flips_.files[kind];
  Write(flipped, "/data");
  {
    const auto opened = Open();
    if (opened.ok()) {
      std::string missing = Missing(**opened, moment.acknowledged);
      if (missing.empty()) {
        ++flips_.whole;
        return;
      }
      if (Missing(**opened, marked).empty()) {
        ++flips_.unmarked;
        if (moment.all_marked) Broken(flipped, where, missing);
        return;
      }
      // What db verify would say, or an engine that reads it.
      const auto shorter = missing.find("was acknowledged") != std::string::npos;
      if (shorter) return Broken(flipped, where, "it opened, and " + missing);
      ++flips_.found;
    } else {
      if (!IsClear(opened.status())) return Broken(flipped, where, "it refused without a reason");
      ++flips_.refused;
    }
  }
  const std::string refused = Repair(flipped, marked);
  if (refused.empty()) {
    ++flips_.repaired;
    return;
  }
  ++flips_.beyond;
  const bool surely_whole = kind == "options" || kind == "high-water" || (path == log && at >= marked_log);
  if (surely_whole) Broken(flipped, where, "nothing below the mark is missing, and yet: " + refused);
}

void PowerCuts::Flip(std::size_t flips, const std::function<bool()>& late) {
  constexpr std::size_t kPerMoment = 25;
  while (flips > 0 && !run_.moments.empty()) {
    const Moment& moment = run_.moments[random_() % run_.moments.size()];
    DiskModel model;
    for (std::size_t i = 0; i < moment.operations; ++i) model.Apply(run_.disk->operations()[i]);
    const Image image = model.After(Loss::kUnsynced, random_);
    Write(image, "/data");
    Sequences marked;
    {
      const auto whole = Open();
      if (!whole.ok())
        return Broken(image, "after operation " + std::to_string(moment.operations), whole.status().ToString());
      for (std::uint16_t i = 0; i < kRecordedShards; ++i)
        marked.push_back((*whole)->high_water().AtOpen(ShardId{i}).sequence);
    }
    std::string log;
    for (const auto& [path, bytes] : image)
      if (KindOfName(path) == "log" && !bytes.empty()) log = std::max(log, path);
    const std::uint64_t marked_log = SizeAtMark(log, moment);
    for (std::size_t i = 0; i < kPerMoment && flips > 0; ++i, --flips) {
      FlipOnce(moment, image, marked, marked_log);
      if (!broken_.empty() || late()) return;
    }
  }
}

}  // namespace smsflow::crash
