// What peers say, what they are told when they come back, and what happens to the leases of a store that never will.
#include <algorithm>
#include <utility>

#include "engine/partition.h"
#include "storage/records.h"

namespace smsflow::engine {
namespace {

// So many leases of a lost store are told in one round, so that others do not wait.
constexpr std::size_t kLoseChunk = 64;
// The same for leases that are handed over again.
constexpr std::size_t kAgainChunk = 256;

// Of attempts so old that their lessee is not kept, whoever held a later one may tell: it is most likely the same, and
// a late DELIVERED must count.
bool IsLessee(const stored::InstanceState& state, std::uint32_t number, const PeerId& peer) {
  return std::any_of(state.leases().begin(), state.leases().end(), [&](const stored::LeaseRecord& lease) {
    const bool told = lease.number() == number || number < state.leases(0).number();
    return told && lease.gateway() == peer.gateway && lease.store_uuid() == peer.store_uuid;
  });
}

// What it was leased while it served a tenant it still knows when it has come anew for fewer. A credential that was
// taken from a tenant says nothing of it any more, whatever was leased under it.
bool MayTellOf(const PeerHello& peer, const std::string& tenant) {
  return Serves(peer, tenant) || std::find(peer.tells_of.begin(), peer.tells_of.end(), tenant) != peer.tells_of.end();
}

}  // namespace

void Partition::Handle(Round& round, ReportItem& item) {
  const ReportOutcome outcome = Report(round, item.from->hello, item.attempt, item.event);
  round.reported.emplace_back(std::move(item.done), ReportAnswer{item.attempt, outcome});
}

ReportOutcome Partition::Report(Round& round, const PeerHello& from, const AttemptId& attempt,
                                workflows::Event& event) {
  ++counts_.reports;
  auto found = instances_.Find(attempt.instance);
  if (!found.ok()) Fail(found.status());
  Loaded* loaded = *found;
  if (loaded == nullptr || !MayTellOf(from, loaded->head.tenant()) ||
      !IsLessee(loaded->state, attempt.number, from.peer)) {
    ++counts_.reports_not_yours;
    return ReportOutcome::kNotYours;
  }
  event.effect = attempt.number;
  const Outcome outcome =
      Decide(round, shard(attempt.instance.shard()), *loaded, event, {from.peer.gateway, nullptr, nullptr});
  return outcome.decision.verdict == workflows::Verdict::kApplied ? ReportOutcome::kApplied : ReportOutcome::kNoted;
}

void Partition::Handle(Round&, AttachedItem& item) {
  Returning back{item.attachment, {}, 0};
  for (const auto& home : shards_)
    for (const auto& [attempt, lease] : home->leases)
      if (*lease.peer == *item.attachment->peer) back.leases.push_back(attempt);
  if (!back.leases.empty()) returning_.push_back(std::move(back));
  losing_.push_back(std::move(item.attachment));
}

// A portion of what those who came back held. A link that is full says when it has room again.
void Partition::RepeatOpenLeases(Round& round) {
  std::size_t told = 0;
  for (Returning& back : returning_) {
    PeerLink& link = *back.attachment->link;
    // Gone; or replaced by a newer stream, which is told of its own.
    if (shared_.peers.AttachmentOf(*back.attachment->peer) != back.attachment) back.next = back.leases.size();
    for (; back.next < back.leases.size() && told < kAgainChunk && !link.Full(); ++back.next, ++told) {
      const AttemptId& attempt = back.leases[back.next];
      Shard& home = shard(attempt.instance.shard());
      const auto lease = home.leases.find(attempt);
      if (lease == home.leases.end() || *lease->second.peer != *back.attachment->peer) continue;  // settled since
      SendOpenLease(round, home, attempt, lease->second, *back.attachment);
    }
  }
  std::erase_if(returning_, [](const Returning& back) { return back.next == back.leases.size(); });
  round.work += static_cast<std::uint32_t>(told);
}

// Not yet accepted and in time, as far as the clock can tell: handed over again. Else asked for.
void Partition::SendOpenLease(Round& round, Shard& home, const AttemptId& attempt, const OpenLease& lease,
                              const Attachment& attachment) {
  Outgoing& to = round.To(lease.peer);
  if (lease.accepted || round.guarded || round.now_ms >= lease.deadline_ms) {
    to.probes.push_back({attempt, lease.deadline_ms});
    ++counts_.probes;
    return;
  }
  auto found = instances_.Find(attempt.instance);
  if (!found.ok()) Fail(found.status());
  if (*found == nullptr) return;
  // The same store may come back for fewer tenants, or under another credential: its lease stays, no payload leaves.
  if (!attachment.Serves(lease.tenant)) return;
  // It may also have come back without the key: then it is asked, and what it has not begun it refuses, so that whoever
  // has that key can get it.
  const workflows::Workflow& workflow = *shared_.workflow(static_cast<std::uint16_t>((*found)->head.workflow()));
  if (!attachment.Serves(lease.tenant, workflow.Lane((*found)->head.fixed()))) {
    to.probes.push_back({attempt, lease.deadline_ms});
    ++counts_.probes;
    return;
  }
  engine::Lease again = RenderLease(home, **found, attempt.number, lease.deadline_ms);
  again.again = true;
  to.leases.push_back(std::move(again));
  ++counts_.leases_again;
}

Lease Partition::RenderLease(const Shard& home, const Loaded& loaded, std::uint32_t number, std::int64_t deadline_ms) {
  const workflows::Workflow* workflow = shared_.workflow(static_cast<std::uint16_t>(loaded.head.workflow()));
  engine::Lease lease;
  lease.attempt = {loaded.id, number};
  lease.tenant = loaded.head.tenant();
  lease.client_key = workflow->ClientKey(loaded.head.fixed());
  lease.lane = workflow->Lane(loaded.head.fixed());
  lease.deadline_ms = deadline_ms;
  lease.payload = loaded.head.payload();
  lease.mark = {home.id, home.epoch, 0};  // the sequence is known once it is durable
  return lease;
}

// A gateway that came with a new store will never answer for what its old one held.
void Partition::LoseStores(Round& round) {
  std::size_t told = 0;
  while (!losing_.empty()) {
    const Attachment& attachment = *losing_.back();
    const PeerId& now = attachment.hello.peer;
    // It left again, and the older store may be back: only the one that is there now tells which is lost.
    if (shared_.peers.AttachmentOf(now) == nullptr) {
      losing_.pop_back();
      continue;
    }
    for (const auto& home : shards_) {
      std::vector<AttemptId> lost;
      for (const auto& [attempt, lease] : home->leases) {
        const bool other_store = lease.peer->gateway == now.gateway && lease.peer->store_uuid != now.store_uuid;
        if (other_store && attachment.Serves(lease.tenant)) lost.push_back(attempt);
        if (told + lost.size() == kLoseChunk) break;
      }
      for (const AttemptId& attempt : lost) {
        auto found = instances_.Find(attempt.instance);
        if (!found.ok()) Fail(found.status());
        workflows::Event event;
        event.kind = workflows::kPeerLost;
        event.effect = attempt.number;
        if (*found != nullptr) Decide(round, *home, **found, event, {"engine"});  // settles it in any case
        ++round.work;
      }
      told += lost.size();
      if (told >= kLoseChunk) return;
    }
    losing_.pop_back();
  }
}

void Partition::Handle(Round& round, TakenItem& item) {
  Shard& home = shard(item.shard);
  if (home.open_outbox.erase(item.sequence) == 0) return;
  // Once its row is gone, only the mark keeps a restart from giving its number to another post.
  home.marks.set_outbox_next(home.outbox_next);
  storage::PutMarks(round.batch, home.id, home.marks);
  round.batch.Delete(storage::Family::kQueues, storage::OutboxKey(item.shard, item.sequence));
}

}  // namespace smsflow::engine
