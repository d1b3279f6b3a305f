// Get, List, BatchSummary, ListBlocked: reads that may wait for the disk, done by the reading threads.
#include <utility>

#include "engine/tokens.h"
#include "server/grpc/scheduler_service.h"
#include "server/grpc/status.h"
#include "server/page_size.h"
#include "storage/epoch.h"
#include "workflows/delivery/state.h"

namespace smsflow::server {

namespace delivery = workflows::delivery;

void SchedulerService::Get(UnaryCall* call, const v1::GetRequest* request, v1::SmsStatus* response) {
  auto caller = CallerOf(doors_, *call, kClient);
  if (!caller.ok()) return call->Finish(ToGrpc(caller.status()));
  Violations violations;
  const auto id = Validation::Id(request->id(), "id", violations);
  if (!id) return call->Finish(ToGrpc(violations));
  return Offload(doors_, call, [this, id = *id, tenant = std::move(caller->tenant), response]() -> absl::Status {
    const auto instance = doors_.reader->Get(id, tenant);
    return instance.ok() ? FillSmsStatus(*instance, response) : instance.status();
  });
}

void SchedulerService::List(UnaryCall* call, const v1::ListRequest* request, v1::ListResponse* response) {
  auto caller = CallerOf(doors_, *call, kClient);
  if (!caller.ok()) return call->Finish(ToGrpc(caller.status()));
  engine::ListQuery query;
  Violations violations = doors_.validation->Filter(request->filter(), caller->tenant, query);
  const std::uint32_t page_size = PageSize(request->page_size(), violations);
  if (!violations.empty()) return call->Finish(ToGrpc(violations));
  return Offload(
      doors_, call,
      [this, query = std::move(query), page_size, token = request->page_token(), response]() -> absl::Status {
        auto page = doors_.reader->List(query, page_size, token);
        if (!page.ok()) return page.status();
        const auto epoch = storage::EpochOf(doors_.reader->store());
        if (!epoch.ok()) return epoch.status();
        for (const engine::StoredInstance& instance : page->items) {
          if (absl::Status status = FillSmsStatus(instance, response->add_items()); !status.ok()) {
            return status;
          }
        }
        response->set_next_page_token(std::move(page->next_token));
        response->set_watch_token(engine::EncodeWatchToken({std::move(page->seen), *epoch}));
        return absl::OkStatus();
      });
}

void SchedulerService::BatchSummary(UnaryCall* call, const v1::BatchSummaryRequest* request,
                                    v1::BatchSummaryResponse* response) {
  auto caller = CallerOf(doors_, *call, kClient);
  if (!caller.ok()) return call->Finish(ToGrpc(caller.status()));
  Violations violations;
  doors_.validation->Name(request->batch(), "batch", violations);
  if (!violations.empty()) return call->Finish(ToGrpc(violations));
  engine::ListQuery query;
  query.workflow = delivery::kWorkflowNumber;
  query.tenant = std::move(caller->tenant);
  query.index = delivery::kBatchIndex;
  query.value = request->batch();
  return Offload(doors_, call, [this, call, query = std::move(query), response]() -> absl::Status {
    const auto counts = doors_.reader->Count(query, [call] { return call->IsCancelled(); });
    if (!counts.ok()) return counts.status();
    std::uint64_t total = 0;
    for (const auto& [state, count] : *counts) {
      auto* row = response->add_counts();
      row->set_state(static_cast<v1::SmsState>(state));
      row->set_count(count);
      total += count;
    }
    response->set_total(total);
    return absl::OkStatus();
  });
}

void SchedulerService::ListBlocked(UnaryCall* call, const v1::ListBlockedRequest* request,
                                   v1::ListBlockedResponse* response) {
  auto caller = CallerOf(doors_, *call, kClient);
  if (!caller.ok()) return call->Finish(ToGrpc(caller.status()));
  Violations violations;
  const std::uint32_t page_size = PageSize(request->page_size(), violations);
  if (!violations.empty()) return call->Finish(ToGrpc(violations));
  return Offload(
      doors_, call,
      [this, tenant = std::move(caller->tenant), page_size, token = request->page_token(), response]() -> absl::Status {
        auto page = doors_.reader->Members(tenant, delivery::kBlockedSet, page_size, token);
        if (!page.ok()) return page.status();
        for (engine::Member& member : page->members) {
          auto* entry = response->add_entries();
          entry->set_target(std::move(member.target));
          entry->set_since_ms(member.since_ms);
        }
        response->set_next_page_token(std::move(page->next_token));
        return absl::OkStatus();
      });
}

}  // namespace smsflow::server
