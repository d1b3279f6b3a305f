// /block: targets that want no SMS of a client.
#include <utility>

#include "server/rest/list_source.h"
#include "server/rest/old_contract.h"
#include "workflows/delivery/codec/codec.h"

namespace smsflow::server::rest {

namespace delivery = workflows::delivery;
using Contract = std::shared_ptr<const OldContract>;

namespace {

constexpr std::uint32_t kPage = 500;

void Set(const Contract& contract, bool block, Request request, Reply reply) {
  const std::string& tenant = request.arguments[0];
  const std::string& target = request.arguments[1];
  if (auto forbidden = Forbidden(request, tenant)) return reply(*std::move(forbidden));
  Violations violations;
  contract->validation->Name(target, "target", violations);
  if (!violations.empty()) return reply(Refused(absl::OkStatus(), violations));
  engine::SweepRequest sweep;
  sweep.workflow = delivery::kWorkflowNumber;
  sweep.tenant = tenant;
  sweep.actor = request.principal.user;
  sweep.index = delivery::kTargetIndex;
  sweep.value = target;
  sweep.target = target;
  sweep.event = delivery::EncodeBlock();
  sweep.membership = workflows::MembershipChange{delivery::kBlockedSet, block};
  sweep.sweep = block;
  contract->engine->Sweep(std::move(sweep), [block, reply = std::move(reply)](engine::SweepAnswer answer) mutable {
    if (!answer.status.ok()) return reply(Response::Error(answer.status));
    if (!block) return reply(Response::Ok());
    const auto count = [&answer](delivery::Outcome outcome) {
      const auto number = static_cast<std::size_t>(outcome);
      return number < answer.outcomes.size() ? answer.outcomes[number] : 0;
    };
    reply(Counted(count(delivery::Outcome::kBlocked), "blocked", count(delivery::Outcome::kTooLate),
                  count(delivery::Outcome::kAlreadyEnded)));
  });
}

Response Look(const Contract& contract, const Request& request) {
  const std::string& tenant = request.arguments[0];
  if (auto forbidden = Forbidden(request, tenant)) return *std::move(forbidden);
  const auto blocked = contract->reader->IsMember(tenant, delivery::kBlockedSet, request.arguments[1]);
  if (!blocked.ok()) return Response::Error(blocked.status());
  return *blocked ? Response::Ok() : Response::Error(404, "target: is not blocked");
}

void List(const Contract& contract, Request request, Reply reply) {
  const std::string& tenant = request.arguments[0];
  if (auto forbidden = Forbidden(request, tenant)) return reply(*std::move(forbidden));
  auto next = [contract, tenant, token = std::string(),
               between = false](std::string& out) mutable -> absl::StatusOr<bool> {
    auto page = contract->reader->Members(tenant, delivery::kBlockedSet, kPage, token);
    if (!page.ok()) return page.status();
    for (const engine::Member& member : page->members) {
      if (std::exchange(between, true)) out += '\n';
      out += member.target;
    }
    token = std::move(page->next_token);
    return !token.empty();
  };
  ReplyWithList(*contract->reads, {"text/plain;charset=UTF-8", "", "\n"}, std::move(next), std::move(reply));
}

}  // namespace

void AddBlockHandlers(const Contract& contract, Router& router) {
  router.Add(Method::kGet, "/block/{client}",
             [contract](Request request, Reply reply) { List(contract, std::move(request), std::move(reply)); });
  const char* const one = "/block/{client}/{target}";
  router.AddBlocking(Method::kGet, one, *contract->reads,
                     [contract](const Request& request) { return Look(contract, request); });
  router.Add(Method::kPut, one,
             [contract](Request request, Reply reply) { Set(contract, true, std::move(request), std::move(reply)); });
  router.Add(Method::kDelete, one,
             [contract](Request request, Reply reply) { Set(contract, false, std::move(request), std::move(reply)); });
}

}  // namespace smsflow::server::rest
