// Who is attached, and who has credit.
//
// A peer's window is how many leases it lets be open at once; one is held from the moment a lease is decided until it
// is settled, also while the peer is away. So what a lost store can lose is bounded by its window.
//
// Partitions that want credit where there is none stand in a line, each once: of what is given back one is left to each
// of those who came before, and none overtakes another more often than a window holds. Else a partition that always has
// work would take again at once what it gives back, and another, which has to be woken first, would get nothing of a
// small window, or of a link that is full after one.
//
// Thread-safe. Locks for a moment, never blocks.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "engine/bus.h"

namespace smsflow::engine {

// Whether that peer serves the tenant.
bool Serves(const PeerHello& hello, std::string_view tenant);

// A peer's name, shared by all leases that it holds.
using PeerRef = std::shared_ptr<const PeerId>;

// One attachment of a peer. Its number rises with each, so that a late word of an old one is known as such.
struct Attachment {
  std::uint64_t number = 0;
  PeerHello hello;
  PeerRef peer;  // hello.peer; outlives the attachment where leases do
  std::shared_ptr<PeerLink> link;

  bool Serves(std::string_view tenant) const;
  bool Serves(std::string_view tenant, std::string_view lane) const;
};

class Peers {
 public:
  // FAILED_PRECONDITION while another store of the same gateway is attached. A session of the same store is replaced.
  absl::StatusOr<std::shared_ptr<const Attachment>> Attach(PeerHello hello, std::shared_ptr<PeerLink> link);
  void Detach(const Attachment& attachment);
  void AddCredit(const Attachment& attachment, std::uint32_t more);

  // One credit of an attached peer that serves the lane, those with most of it first; null: none, or none is left by
  // those who stand in line before this partition. Gateways named in `paused` are passed over.
  PeerRef Take(std::uint16_t partition, std::string_view tenant, std::string_view lane,
               const std::set<std::string>& paused);
  // At recovery: a lease of before.
  void Hold(const PeerId& peer);
  void Release(const PeerId& peer, std::uint64_t leases = 1);

  // nullptr: not attached.
  std::shared_ptr<const Attachment> AttachmentOf(const PeerId& peer) const;

  struct Lane {
    std::uint32_t peers = 0;
    std::uint64_t credit = 0;
  };
  Lane OfLane(std::string_view tenant, std::string_view lane) const;
  // Whether this gateway is attached and serves the lane.
  bool Serves(std::string_view gateway, std::string_view tenant, std::string_view lane) const;
  Lane Total() const;
  // Tenants of those attached with credit for this partition, and the lanes that these serve of each; nullopt: all.
  // Gateways named in `paused` are passed over.
  std::map<std::string, std::optional<std::set<std::string>>> ServedNow(std::uint16_t partition,
                                                                        const std::set<std::string>& paused);
  // After it has tried to take of all that ServedNow() named: the partition stands in line where it found nothing and
  // `wants` some, and nowhere else; what it left goes to the others. True: it stands in a line. `wants` is called under
  // the lock.
  bool StandInLine(std::uint16_t partition, absl::FunctionRef<bool(const PeerHello&)> wants);
  // Rises whenever a lease that could not leave might leave now.
  std::uint64_t version() const;
  // Something else changed for the better: what waits is looked at again.
  void Nudge();
  void CloseAll(const absl::Status& why);
  // Called after each rise of version(), outside the lock.
  void OnChange(absl::AnyInvocable<void()> notify) { notify_ = std::move(notify); }

  static constexpr std::uint64_t kWindowMax = 1'000'000;

 private:
  struct Place {
    std::uint16_t partition = 0;
    bool offered = false;         // it has been told of credit since it came
    std::uint64_t overtaken = 0;  // how often others who came later took some meanwhile
  };
  struct Peer {
    std::shared_ptr<const Attachment> attachment;  // null: away
    std::uint64_t window = 0;
    std::uint64_t open = 0;
    std::vector<Place> line;
    std::uint64_t credit() const {
      const bool full = attachment != nullptr && attachment->link != nullptr && attachment->link->Full();
      return window > open && !full ? window - open : 0;
    }
    std::vector<Place>::iterator PlaceOf(std::uint16_t partition);
    std::uint64_t CreditFor(std::uint16_t partition);
    bool TakeFor(std::uint16_t partition);
  };
  static bool Serves(const Peer& peer, std::string_view tenant, std::string_view lane);
  void Changed();

  mutable absl::Mutex mutex_;
  std::map<PeerId, Peer> peers_;
  std::uint64_t attachments_ = 0;
  std::uint64_t version_ = 0;
  absl::AnyInvocable<void()> notify_;
};

}  // namespace smsflow::engine
