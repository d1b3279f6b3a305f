// A new instance: asked for once, or found by its idempotency key.
#include <utility>

#include "engine/partition.h"
#include "storage/journal.h"
#include "storage/records.h"

namespace smsflow::engine {
namespace {

absl::Status StatusOf(const workflows::Decision& decision) {
  switch (decision.code) {
    case workflows::Refusal::kInvalidArgument:
      return absl::InvalidArgumentError(decision.reason);
    case workflows::Refusal::kNotFound:
      return absl::NotFoundError(decision.reason);
    case workflows::Refusal::kFailedPrecondition:
      return absl::FailedPreconditionError(decision.reason);
    case workflows::Refusal::kNone:
      break;
  }
  return absl::FailedPreconditionError(decision.reason.empty() ? "the workflow refuses this now" : decision.reason);
}

// What was answered under this key before, also in this round.
absl::StatusOr<std::optional<stored::DedupeRow>> FindFirst(const Round& round, const storage::Store& store,
                                                           ShardId shard, const storage::Hash16& scope) {
  const auto it = round.dedupe.find(storage::DedupeKey(shard, scope).view());
  if (it != round.dedupe.end()) return it->second;
  return storage::GetDedupe(store, shard, scope);
}

Answer AnswerAgain(const stored::DedupeRow& first, const std::string& fingerprint) {
  Answer answer;
  if (first.fingerprint() != fingerprint) {
    answer.status = absl::AlreadyExistsError("idempotency_key: was used for another request");
    return answer;
  }
  answer.id = InstanceId::FromBytes(first.instance()).value_or(InstanceId{});
  answer.answer = first.answer();
  answer.duplicate = true;
  return answer;
}

// Takes what the request holds, but for its event and its dedupe key.
stored::InstanceHead HeadOf(CreateRequest& request, const std::optional<storage::Hash16>& scope) {
  stored::InstanceHead head;
  head.set_workflow(request.workflow);
  head.set_tenant(std::move(request.tenant));
  head.set_target(std::move(request.target));
  head.set_actor(std::move(request.actor));
  if (scope) head.set_dedupe(scope->data(), scope->size());
  const auto digest = storage::PayloadDigest(request.payload);
  head.set_payload_digest(digest.data(), digest.size());
  head.set_payload(std::move(request.payload));
  return head;
}

}  // namespace

Answer AnswerOf(const Loaded& loaded, workflows::Decision decision) {
  Answer answer;
  answer.id = loaded.id;
  answer.state = static_cast<std::uint16_t>(loaded.state.state());
  answer.outcome = decision.outcome;
  answer.answer = std::move(decision.answer);
  if (decision.verdict == workflows::Verdict::kRefused) {
    answer.status = StatusOf(decision);
    answer.violations = std::move(decision.violations);
  }
  return answer;
}

void Partition::Handle(Round& round, CreateItem& item) {
  Answer answer = Create(round, shard(item.shard), item.request);
  round.replies.emplace_back(std::move(item.done), std::move(answer));
}

Answer Partition::Create(Round& round, Shard& home, CreateRequest& request) {
  std::optional<storage::Hash16> scope;
  if (!request.dedupe_key.empty()) {
    scope = shared_.parts.index_keys->DedupeScope(request.tenant, request.target, request.dedupe_key);
    const auto first = FindFirst(round, store(), home.id, *scope);
    if (!first.ok()) Fail(first.status());
    if (*first) {
      Answer again = AnswerAgain(**first, request.fingerprint);
      if (again.duplicate) ++counts_.duplicates;
      return again;
    }
  }

  stored::InstanceHead head = HeadOf(request, scope);
  const std::string actor = head.actor();
  const std::int64_t id_ms = std::max(round.now_ms, home.id_from_ms);
  home.id_newest_ms = std::max(home.id_newest_ms, id_ms);
  const InstanceId id = InstanceId::Make(id_ms, home.id, shared_.parts.random->Next64());
  Loaded& loaded = instances_.Create(id, std::move(head));
  Outcome outcome = Decide(round, home, loaded, request.event, {actor});
  if (!outcome.stored()) {
    loaded.erased = true;  // it never was
    return AnswerOf(loaded, std::move(outcome.decision));
  }
  ++counts_.created;
  if (scope) {
    stored::DedupeRow row;
    row.set_instance(std::string(loaded.id.AsBytes()));
    row.set_fingerprint(request.fingerprint);
    row.set_answer(outcome.decision.answer);
    storage::PutDedupe(round.batch, home.id, *scope, row);
    round.dedupe.insert_or_assign(std::string(storage::DedupeKey(home.id, *scope).view()), std::move(row));
  }
  return AnswerOf(loaded, std::move(outcome.decision));
}

}  // namespace smsflow::engine
