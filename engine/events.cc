// A command for one instance, from a client or an administrator.
#include <utility>

#include "engine/partition.h"

namespace smsflow::engine {

Answer AnswerOf(const Loaded& loaded, workflows::Decision decision);  // create.cc

void Partition::Handle(Round& round, EventItem& item) {
  Answer answer = Apply(round, item.request);
  round.replies.emplace_back(std::move(item.done), std::move(answer));
}

Answer Partition::Apply(Round& round, EventRequest& request) {
  auto found = instances_.Find(request.id);
  if (!found.ok()) Fail(found.status());
  Loaded* loaded = *found;
  // Another tenant's is as unknown as one that never was.
  if (loaded == nullptr || (!request.tenant.empty() && loaded->head.tenant() != request.tenant)) {
    Answer unknown;
    unknown.id = request.id;
    unknown.status = absl::NotFoundError("id: unknown");
    return unknown;
  }
  Cause cause{request.actor};
  if (request.payload) cause.payload = &*request.payload;
  Outcome outcome = Decide(round, shard(request.id.shard()), *loaded, request.event, cause);
  return AnswerOf(*loaded, std::move(outcome.decision));
}

}  // namespace smsflow::engine
