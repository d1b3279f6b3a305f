#include "engine/peers.h"

#include <algorithm>
#include <utility>

namespace smsflow::engine {
namespace {

bool Has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Attachment>> Peers::Attach(PeerHello hello, std::shared_ptr<PeerLink> link) {
  std::shared_ptr<const Attachment> replaced;
  std::shared_ptr<const Attachment> attachment;
  {
    absl::MutexLock lock(&mutex_);
    for (const auto& [id, peer] : peers_) {
      if (id.gateway == hello.peer.gateway && id.store_uuid != hello.peer.store_uuid && peer.attachment)
        return absl::FailedPreconditionError("gateway: another store of this gateway is attached; end it first");
    }
    auto name = std::make_shared<const PeerId>(hello.peer);
    attachment = std::make_shared<const Attachment>(
        Attachment{++attachments_, std::move(hello), std::move(name), std::move(link)});
    Peer& peer = peers_[attachment->hello.peer];
    replaced = std::exchange(peer.attachment, attachment);
    peer.window = 0;
    ++version_;
  }
  if (replaced) replaced->link->Close(absl::AbortedError("replaced by a newer stream of the same store"));
  Changed();
  return attachment;
}

void Peers::Detach(const Attachment& attachment) {
  absl::MutexLock lock(&mutex_);
  const auto it = peers_.find(attachment.hello.peer);
  if (it == peers_.end() || !it->second.attachment || it->second.attachment->number != attachment.number) return;
  it->second.attachment.reset();
  it->second.window = 0;
  if (it->second.open == 0) peers_.erase(it);
}

void Peers::AddCredit(const Attachment& attachment, std::uint32_t more) {
  {
    absl::MutexLock lock(&mutex_);
    const auto it = peers_.find(attachment.hello.peer);
    if (it == peers_.end() || !it->second.attachment || it->second.attachment->number != attachment.number) return;
    it->second.window = std::min(kWindowMax, it->second.window + more);
    ++version_;
  }
  Changed();
}

std::vector<Peers::Place>::iterator Peers::Peer::PlaceOf(std::uint16_t partition) {
  return std::find_if(line.begin(), line.end(), [=](const Place& place) { return place.partition == partition; });
}

std::uint64_t Peers::Peer::CreditFor(std::uint16_t partition) {
  const std::uint64_t all = credit();
  std::uint64_t left = all;
  for (auto place = line.begin(), mine = PlaceOf(partition); place != mine && left != 0; ++place)
    left = place->overtaken < window ? left - 1 : 0;
  return left;
}

// True: others had to wait for it, and may go on now.
bool Peers::Peer::TakeFor(std::uint16_t partition) {
  ++open;
  const auto place = PlaceOf(partition);
  for (auto before = line.begin(); before != place; ++before) ++before->overtaken;
  if (place == line.end()) return false;
  const bool held_others = place->overtaken >= window;
  line.erase(place);
  return held_others;
}

PeerRef Peers::Take(std::uint16_t partition, std::string_view tenant, std::string_view lane,
                    const std::set<std::string>& paused) {
  PeerRef taken;
  bool held_others = false;
  {
    absl::MutexLock lock(&mutex_);
    Peer* best = nullptr;
    std::uint64_t most = 0;
    for (auto& [id, peer] : peers_) {
      const std::uint64_t credit = peer.CreditFor(partition);
      if (credit <= most || !Serves(peer, tenant, lane) || paused.count(id.gateway) != 0) continue;
      most = credit;
      best = &peer;
    }
    if (best == nullptr) return nullptr;
    taken = best->attachment->peer;
    held_others = best->TakeFor(partition);
    if (held_others) ++version_;
  }
  if (held_others) Changed();
  return taken;
}

void Peers::Hold(const PeerId& peer) {
  absl::MutexLock lock(&mutex_);
  ++peers_[peer].open;
}

void Peers::Release(const PeerId& peer, std::uint64_t leases) {
  bool attached = false;
  {
    absl::MutexLock lock(&mutex_);
    const auto it = peers_.find(peer);
    if (it == peers_.end() || it->second.open == 0) return;
    it->second.open -= std::min(it->second.open, leases);
    attached = it->second.attachment != nullptr;
    if (!attached && it->second.open == 0) peers_.erase(it);
    if (attached) ++version_;
  }
  if (attached) Changed();
}

std::shared_ptr<const Attachment> Peers::AttachmentOf(const PeerId& peer) const {
  absl::MutexLock lock(&mutex_);
  const auto it = peers_.find(peer);
  return it == peers_.end() ? nullptr : it->second.attachment;
}

Peers::Lane Peers::OfLane(std::string_view tenant, std::string_view lane) const {
  absl::MutexLock lock(&mutex_);
  Lane sum;
  for (const auto& [id, peer] : peers_) {
    if (!Serves(peer, tenant, lane)) continue;
    ++sum.peers;
    sum.credit += peer.credit();
  }
  return sum;
}

bool Peers::Serves(std::string_view gateway, std::string_view tenant, std::string_view lane) const {
  absl::MutexLock lock(&mutex_);
  return std::any_of(peers_.begin(), peers_.end(), [&](const auto& entry) {
    return entry.first.gateway == gateway && Serves(entry.second, tenant, lane);
  });
}

Peers::Lane Peers::Total() const {
  absl::MutexLock lock(&mutex_);
  Lane sum;
  for (const auto& [id, peer] : peers_) {
    if (!peer.attachment) continue;
    ++sum.peers;
    sum.credit += peer.credit();
  }
  return sum;
}

std::map<std::string, std::optional<std::set<std::string>>> Peers::ServedNow(std::uint16_t partition,
                                                                             const std::set<std::string>& paused) {
  absl::MutexLock lock(&mutex_);
  std::map<std::string, std::optional<std::set<std::string>>> served;
  for (auto& [id, peer] : peers_) {
    const bool offered = peer.CreditFor(partition) != 0;
    if (const auto place = peer.PlaceOf(partition); place != peer.line.end()) place->offered = offered;
    if (!offered || paused.count(id.gateway) != 0) continue;
    const PeerHello& hello = peer.attachment->hello;
    for (const std::string& tenant : hello.tenants) {
      const auto [known, fresh] = served.try_emplace(tenant, std::set<std::string>{""});
      if (hello.lanes.empty())
        known->second.reset();
      else if (known->second)
        known->second->insert(hello.lanes.begin(), hello.lanes.end());
    }
  }
  return served;
}

bool Peers::StandInLine(std::uint16_t partition, absl::FunctionRef<bool(const PeerHello&)> wants) {
  bool stands = false, left = false;
  {
    absl::MutexLock lock(&mutex_);
    for (auto& [id, peer] : peers_) {
      const auto place = peer.PlaceOf(partition);
      const bool stood = place != peer.line.end();
      const bool has_credit = peer.CreditFor(partition) != 0;
      // Credit that came since it looked is no reason: it will look again.
      const bool stays =
          !(has_credit && (!stood || place->offered)) && peer.attachment && wants(peer.attachment->hello);
      if (stays && !stood) peer.line.push_back({partition});
      if (!stays && stood) {
        peer.line.erase(place);
        left |= peer.credit() != 0;
      }
      stands |= stays;
    }
    if (left) ++version_;
  }
  if (left) Changed();
  return stands;
}

std::uint64_t Peers::version() const {
  absl::MutexLock lock(&mutex_);
  return version_;
}

void Peers::Nudge() {
  {
    absl::MutexLock lock(&mutex_);
    ++version_;
  }
  Changed();
}

void Peers::CloseAll(const absl::Status& why) {
  std::vector<std::shared_ptr<const Attachment>> attached;
  {
    absl::MutexLock lock(&mutex_);
    for (auto& [id, peer] : peers_) {
      if (peer.attachment) attached.push_back(peer.attachment);
      peer.window = 0;
    }
  }
  for (const auto& attachment : attached) attachment->link->Close(why);
}

bool Serves(const PeerHello& hello, std::string_view tenant) { return Has(hello.tenants, tenant); }
bool Attachment::Serves(std::string_view tenant) const { return Has(hello.tenants, tenant); }
bool Attachment::Serves(std::string_view tenant, std::string_view lane) const {
  return Has(hello.tenants, tenant) && (lane.empty() || hello.lanes.empty() || Has(hello.lanes, lane));
}

bool Peers::Serves(const Peer& peer, std::string_view tenant, std::string_view lane) {
  return peer.attachment != nullptr && peer.attachment->Serves(tenant, lane);
}

void Peers::Changed() {
  if (notify_) notify_();
}

}  // namespace smsflow::engine
