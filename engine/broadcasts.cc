#include <algorithm>
#include <string>
#include <utility>

#include "engine/shared.h"

namespace smsflow::engine {

absl::Status Broadcasts::Expect(const std::string& command, const std::string& tenant, std::uint32_t shards,
                                SumDone& done) {
  const bool wide = shards != 1;
  absl::MutexLock lock(&mutex_);
  Open& open = open_[wide];
  std::size_t& of_tenant = open.by_tenant[tenant];
  if (of_tenant >= (wide ? kWideOfTenantMax : kNarrowOfTenantMax))
    return absl::ResourceExhaustedError(
        std::to_string(of_tenant) + " commands of " + (tenant.empty() ? "operators" : "this tenant") +
        " are still being worked through; nothing was stored, try again when one is answered");
  if (!tenant.empty() && open.all >= (wide ? kWideMax : kNarrowMax)) {
    if (of_tenant == 0) open.by_tenant.erase(tenant);
    return absl::ResourceExhaustedError("the server has more to do than it can; nothing was stored, try again soon");
  }
  ++of_tenant;
  if (!tenant.empty()) ++open.all;
  waiting_[command] = {shards, tenant, wide, true, {}, std::move(done)};
  return absl::OkStatus();
}

void Broadcasts::ExpectFed(const std::string& command, std::uint32_t shards, SumDone& done) {
  absl::MutexLock lock(&mutex_);
  waiting_[command] = {shards, "", shards != 1, false, {}, std::move(done)};
}

Broadcasts::Waiting Broadcasts::Take(ByCommand::iterator it) {
  Waiting taken = std::move(it->second);
  waiting_.erase(it);
  if (!taken.counted) return taken;
  Open& open = open_[taken.wide];
  if (!taken.tenant.empty()) --open.all;
  const auto count = open.by_tenant.find(taken.tenant);
  if (--count->second == 0) open.by_tenant.erase(count);
  return taken;
}

void Broadcasts::Finished(const std::string& command, const std::vector<std::uint64_t>& outcomes, bool changed) {
  Waiting finished;
  {
    absl::MutexLock lock(&mutex_);
    const auto it = waiting_.find(command);
    if (it == waiting_.end()) return;  // asked for before the last restart
    Sum& sum = it->second.sum;
    sum.outcomes.resize(std::max(sum.outcomes.size(), outcomes.size()));
    for (std::size_t i = 0; i < outcomes.size(); ++i) sum.outcomes[i] += outcomes[i];
    sum.changed |= changed;
    if (--it->second.shards != 0) return;
    finished = Take(it);
  }
  finished.done(std::move(finished.sum));
}

void Broadcasts::Changed(const std::string& command) {
  absl::MutexLock lock(&mutex_);
  if (const auto it = waiting_.find(command); it != waiting_.end()) it->second.sum.changed = true;
}

void Broadcasts::Fail(const std::string& command, const absl::Status& why) {
  Waiting failed;
  {
    absl::MutexLock lock(&mutex_);
    const auto it = waiting_.find(command);
    if (it == waiting_.end()) return;
    failed = Take(it);
  }
  Sum sum;
  sum.status = why;
  failed.done(std::move(sum));
}

void Broadcasts::FailAll(const absl::Status& why) {
  ByCommand all;
  {
    absl::MutexLock lock(&mutex_);
    all.swap(waiting_);
    for (Open& open : open_) open = {};
  }
  for (auto& [command, waiting] : all) {
    waiting.sum.status = why;
    waiting.done(std::move(waiting.sum));
  }
}

}  // namespace smsflow::engine
