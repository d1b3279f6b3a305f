// What the gateway remembers of SMSes from phones, in the database of its store but with rows and batches of its own,
// so that neither waits for the other. Their shard is one that no attempt has: a shard has one writer.
//
//   key := kind(1) shard(2) rest
//
//   kind  family   rest                         row
//   'N'   queues   count(8)                     GatewayInbound: sealed, for whoever takes it
//   'W'   queues   name of the SMS(16) part(1)  GatewayInboundPart: a part of a long one, sealed for this gateway
//   'Q'   indexes  digest(16)                   GatewayInboundSeen: what a repetition is known by
//
// Names and digests are HMACs under a key made of the gateway's private key: from the disk alone nobody can try
// numbers. Used by one thread. An error of Commit() is indefinite; the process must end.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/hash.h"
#include "storage/store.h"

namespace smsflow::gateway {

// An SMS from a phone as it leaves.
struct InboundSms {
  std::string id;  // a UUID; what readers deduplicate by
  std::string tenant;
  std::string payload;  // JWE, docs/inbound.md
  std::int64_t at_ms = 0;
  bool operator==(const InboundSms&) const = default;
};

struct InboundSeen {
  std::int64_t at_ms = 0;
  std::int64_t answered_ms = 0;
  std::uint64_t session = 0;
};

struct InboundPartRow {
  crypto::Digest16 name = {};
  std::uint8_t number = 1, total = 1;
  std::int64_t at_ms = 0;
  std::string account;
  std::string sealed;
};

class InboundStore {
 public:
  explicit InboundStore(storage::Store& rows) : rows_(rows) {}

  void Put(std::uint64_t count, const InboundSms& sms);
  void Delete(std::uint64_t count);
  void PutPart(const InboundPartRow& part);
  void DeletePart(const crypto::Digest16& name, std::uint8_t number);
  void PutSeen(const crypto::Digest16& digest, const InboundSeen& seen);
  void DeleteSeen(const crypto::Digest16& digest);
  // Blocks for the disk, but when nothing was put: what was deleted and is there again after a crash does no harm.
  [[nodiscard]] absl::Status Commit();

  // What is committed: at most `most` that come after `count`, in order.
  absl::StatusOr<std::vector<std::pair<std::uint64_t, InboundSms>>> After(std::uint64_t count, std::size_t most) const;
  absl::StatusOr<std::vector<std::uint64_t>> Counts() const;
  absl::StatusOr<std::vector<InboundPartRow>> Parts() const;
  absl::StatusOr<std::vector<std::pair<crypto::Digest16, InboundSeen>>> Seen() const;

 private:
  storage::Store& rows_;
  storage::Batch batch_;
  bool needs_sync_ = false;
};

}  // namespace smsflow::gateway
