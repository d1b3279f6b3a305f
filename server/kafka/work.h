// What a record asks for, once it was read: one work for the engine, or word of a gateway, or nothing.
//
// The functions are pure but for the index of violations' texts, and safe from any thread. A record that cannot be read
// becomes an engine::DeadLetter, whose reason names fields and rules and nothing of the record.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/engine.h"
#include "kafka/headers.h"
#include "kafka/records.h"
#include "kafka/signature.h"
#include "server/grpc/validation.h"
#include "storage/keys.h"

namespace smsflow::server {

// A record as it stands in its topic.
struct Raw {
  std::string_view topic;
  std::string_view key;
  std::string_view value;
  std::span<const kafka::HeaderView> headers;
  std::int64_t timestamp_ms = 0;
};

// What the record is, to know it again: another one at its offset is another log.
storage::Hash16 DigestOf(const Raw& record);

struct NoWork {
  bool strange = false;  // of no attempt that could be ours; counted
};
struct Work {
  std::variant<NoWork, engine::FedWork, kafka::Announcement> what;
  // Waits until all before it are answered, and what follows waits for it: it concerns them.
  bool alone = false;
};

// Who acts for whom. A name of a credential stands in journals as the actor.
struct Acting {
  std::set<std::string> tenants;                              // that there are
  bool unsigned_ok = false;                                   // any record of the old form acts for the tenant it names
  std::map<std::string, std::set<std::string>> topics = {};   // topic → tenants that its records act for
  std::map<std::string, std::set<std::string>> signers = {};  // name → tenants that the records it signs act for
  kafka::SigningKeys signing_keys = {};
  std::int64_t signed_for_ms = 0;  // after it was signed
};
struct Actor {
  std::string name;
  bool by_signature = false;
};
// PERMISSION_DENIED or UNAUTHENTICATED name the rule.
absl::StatusOr<Actor> ActorOf(const Raw& record, const std::string& client, std::string_view idempotency_key,
                              const Acting& acting, std::int64_t now_ms);

// server/kafka/schedule_consumer.cc
Work ScheduleWork(const Raw& record, const Acting& acting, const Validation& validation, std::int64_t now_ms);
// server/kafka/timer_consumer.cc
Work TimerWork(const Raw& record, const Acting& acting, const Validation& validation, std::int64_t now_ms);
// Who may speak of attempts. Only `gateways` are believed: others attach elsewhere, with a credential. `old_gateway`:
// whose reports those are that name no store; nullopt: nobody's. Not thread-safe.
class Speakers {
 public:
  Speakers(std::set<std::string> gateways, const std::set<std::string>& tenants, std::optional<PeerId> old_gateway);
  // Null: nobody that is believed. Who names a client speaks for that one alone, who names none for all tenants; the
  // engine compares that with the SMS's own.
  std::shared_ptr<const engine::PeerHello> Of(const std::optional<PeerId>& peer, std::string client);

 private:
  const std::set<std::string> gateways_;
  const std::vector<std::string> tenants_;
  const std::optional<PeerId> old_gateway_;
  // Of those that speak for all: tenants are many, and reports are more. Begun anew beyond a bound, for stores are
  // named by whoever writes.
  std::map<PeerId, std::shared_ptr<const engine::PeerHello>> for_all_;
};
// server/kafka/status_consumer.cc
Work StatusWork(const Raw& record, Speakers& speakers);

}  // namespace smsflow::server
