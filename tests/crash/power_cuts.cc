#include "tests/crash/power_cuts.h"

#include <algorithm>
#include <random>
#include <span>
#include <utility>

namespace smsflow::crash {
namespace {

// The model of the disk is built forward. So much is drawn from all of the run, and then walked from its beginning:
// when the time ends, no part of the run was left out.
constexpr std::size_t kWalk = 256;
constexpr std::size_t kReviveEvery = 10;

}  // namespace

std::vector<PowerCut> AllCuts(const RecordedRun& run, std::uint64_t seed) {
  std::vector<PowerCut> all;
  for (std::size_t after = 1; after <= run.disk->operations().size(); ++after)
    for (const Loss loss : kLosses) all.push_back({after, loss});
  std::mt19937_64 random(seed);
  std::shuffle(all.begin(), all.end(), random);
  return all;
}

bool JudgedDisks::IsNew(const Image& image, const Needed& need) {
  std::size_t hash = 0;
  const auto add = [&](std::size_t more) { hash = hash * 1'000'003 + more; };
  for (const auto& [path, bytes] : image) {
    add(std::hash<std::string>()(path));
    add(std::hash<std::string>()(bytes));
  }
  for (const std::uint64_t sequence : need.sequences) add(std::hash<std::uint64_t>()(sequence));
  add(need.operations);
  const std::lock_guard lock(mutex_);
  return hashes_.insert(hash).second;
}

void CutFigures::Add(const CutFigures& other) {
  cuts += other.cuts;
  same += other.same;
  recovered += other.recovered;
  revived += other.revived;
  repaired += other.repaired;
  for (const auto& [kind, count] : other.kinds) kinds[kind] += count;
  for (const auto& [loss, count] : other.losses) losses[loss] += count;
}

PowerCuts::PowerCuts(const RecordedRun& run, const std::string& folder, std::uint64_t seed, JudgedDisks& judged)
    : run_(run), disk_(run, folder), seed_(seed), judged_(judged) {}

void PowerCuts::Broken(const Image& image, const std::string& where, const std::string& what) {
  broken_.push_back(where + ": " + what + "; " + disk_.Keep(image));
}

void PowerCuts::CutOnce(const PowerCut& cut, const DiskModel& model) {
  std::mt19937_64 random(seed_ * 1'000'003 + cut.after * 8 + static_cast<std::uint64_t>(cut.loss));
  const Image image = model.After(cut.loss, random);
  const Moment* moment = disk_.LastBefore(cut.after);
  const Needed need =
      moment == nullptr ? Needed{Sequences(kRecordedShards)} : Needed{moment->acknowledged, moment->operations};
  if (!judged_.IsNew(image, need)) {
    ++figures_.same;
    return;
  }
  ++figures_.cuts;
  ++figures_.kinds[std::string(NameOf(run_.disk->operations()[cut.after - 1].kind))];
  ++figures_.losses[std::string(NameOf(cut.loss))];
  const std::string where =
      "a power cut after operation " + std::to_string(cut.after) + " that loses " + std::string(NameOf(cut.loss));
  {
    const auto opened = disk_.Open(image);
    if (opened.ok()) {
      ++figures_.recovered;
      std::string wrong = disk_.Missing(**opened, need);
      if (wrong.empty() && moment != nullptr && figures_.recovered % kReviveEvery == 0) {
        ++figures_.revived;
        wrong = disk_.Revived(**opened, *moment, figures_.revived % 2 == 0);
      }
      if (!wrong.empty()) Broken(image, where, wrong);
      return;
    }
    if (!IsClear(opened.status())) return Broken(image, where, "it refused without a reason");
  }
  const std::string refused = disk_.Repair(need, moment);
  if (!refused.empty()) return Broken(image, where, "nothing that was acknowledged is missing, and yet: " + refused);
  ++figures_.repaired;
}

void PowerCuts::Cut(const std::vector<PowerCut>& cuts, const std::function<bool()>& late) {
  const auto& operations = run_.disk->operations();
  for (std::size_t at = 0; at < cuts.size(); at += kWalk) {
    const auto drawn = std::span(cuts).subspan(at, std::min(kWalk, cuts.size() - at));
    std::vector<PowerCut> walk(drawn.begin(), drawn.end());
    std::stable_sort(walk.begin(), walk.end(), [](const auto& a, const auto& b) { return a.after < b.after; });
    DiskModel model;
    std::size_t applied = 0;
    for (const PowerCut& cut : walk) {
      while (applied < cut.after) model.Apply(operations[applied++]);
      CutOnce(cut, model);
      if (!broken_.empty() || late()) return;
    }
  }
}

}  // namespace smsflow::crash
