#include "tests/crash/flipped_bits.h"

#include <algorithm>
#include <filesystem>

namespace smsflow::crash {

void FlipFigures::Add(const FlipFigures& other) {
  flips += other.flips;
  whole += other.whole;
  found += other.found;
  refused += other.refused;
  repaired += other.repaired;
  beyond += other.beyond;
  for (const auto& [file, count] : other.files) files[file] += count;
}

FlippedBits::FlippedBits(const RecordedRun& run, const std::string& folder, std::uint64_t seed)
    : run_(run), disk_(run, folder), random_(seed) {}

void FlippedBits::Broken(const Image& image, const std::string& where, const std::string& what) {
  broken_.push_back(where + ": " + what + "; " + disk_.Keep(image));
}

std::uint64_t FlippedBits::SizeAtMark(const std::string& log, std::size_t marked) const {
  std::size_t at = 0, file = 0;
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

void FlippedBits::FlipOnce(const Whole& whole) {
  std::vector<std::string> paths;
  for (const auto& [path, bytes] : whole.image)
    if (!bytes.empty() && KindOfFile(path) != "ballast") paths.push_back(path);
  // Every second in a log, most in the newest, where what is new lies; of the others every fourth in the list of
  // tables.
  const bool in_log = random_() % 2 == 0 && !whole.log.empty();
  const auto only = [&paths](const char* kind) {
    std::erase_if(paths, [kind](const auto& each) { return KindOfFile(each) != kind; });
  };
  if (in_log) {
    only("log");
    if (random_() % 4 != 0) paths = {whole.log};
  } else if (random_() % 4 == 0) {
    only("manifest");
  }
  const std::string& path = paths[random_() % paths.size()];
  Image flipped = whole.image;
  std::string& bytes = flipped[path];
  const std::size_t at = random_() % bytes.size();
  bytes[at] = static_cast<char>(bytes[at] ^ (1 << (random_() % 8)));
  const std::string kind = KindOfFile(path);
  const std::string where = "a bit flipped in byte " + std::to_string(at) + " of " +
                            std::filesystem::path(path).filename().string() + " as it was after operation " +
                            std::to_string(whole.moment.operations);
  ++figures_.flips;
  ++figures_.files[kind];
  {
    const auto opened = disk_.Open(flipped);
    if (opened.ok()) {
      const std::string missing = disk_.Missing(**opened, {whole.moment.acknowledged, whole.moment.operations});
      if (missing.empty()) {
        ++figures_.whole;
        return;
      }
      // What db verify would say, or an engine that reads it.
      const bool silent = missing.find("was acknowledged") != std::string::npos || missing.starts_with(OwnRows::kWrong);
      if (silent) return Broken(flipped, where, "it opened, and " + missing);
      ++figures_.found;
    } else {
      if (!IsClear(opened.status())) return Broken(flipped, where, "it refused without a reason");
      ++figures_.refused;
    }
  }
  // No row is lost with a bit of those.
  const bool of_no_row = kind == "options" || kind == "high-water" || kind == "CURRENT" || kind == "manifest";
  const std::string refused = disk_.Repair(
      of_no_row ? Needed{whole.moment.acknowledged, whole.moment.operations} : Needed{whole.marked, whole.marked_at},
      &whole.moment);
  if (refused.empty()) {
    ++figures_.repaired;
    return;
  }
  ++figures_.beyond;
  const bool surely_whole = of_no_row || (path == whole.log && at >= whole.marked_log);
  if (surely_whole) Broken(flipped, where, "nothing below the mark is missing, and yet: " + refused);
}

void FlippedBits::Flip(std::size_t flips, const std::function<bool()>& late) {
  constexpr std::size_t kPerMoment = 25;
  while (flips > 0 && !run_.moments.empty()) {
    const Moment& moment = run_.moments[random_() % run_.moments.size()];
    DiskModel model;
    for (std::size_t i = 0; i < moment.operations; ++i) model.Apply(run_.disk->operations()[i]);
    Whole whole{.moment = moment, .image = model.After(Loss::kUnsynced, random_), .log = {}, .marked = {}};
    {
      const auto opened = disk_.Open(whole.image);
      if (!opened.ok())
        return Broken(whole.image, "after operation " + std::to_string(moment.operations), opened.status().ToString());
      for (std::uint16_t i = 0; i < kRecordedShards; ++i)
        whole.marked.push_back((*opened)->high_water().AtOpen(ShardId{i}).sequence);
    }
    for (const auto& [path, bytes] : whole.image)
      if (KindOfFile(path) == "log" && !bytes.empty()) whole.log = std::max(whole.log, path);
    for (const Moment& each : run_.moments)
      if (each.all_marked && each.operations <= moment.operations) whole.marked_at = each.operations;
    whole.marked_log = SizeAtMark(whole.log, whole.marked_at);
    for (std::size_t i = 0; i < kPerMoment && flips > 0; ++i, --flips) {
      FlipOnce(whole);
      if (!broken_.empty() || late()) return;
    }
  }
}

}  // namespace smsflow::crash
