#include "tests/crash/load.h"

#include <chrono>

#include "tests/crash/patience.h"
#include "tests/crash/site.h"

namespace smsflow::crash {
namespace {

constexpr int kItemsMax = 12;

std::string AnyTenant(Random& random) { return kTenants[Below(random, kTenants.size())]; }

}  // namespace

void Load::Start(int clients) {
  for (int i = 0; i < clients; ++i) {
    clients_.emplace_back([this, seed = seed_ * 1000 + static_cast<std::uint64_t>(i)] { Client(seed); });
  }
}

void Load::Stop() {
  stopping_ = true;
  for (std::thread& client : clients_) client.join();
  clients_.clear();
}

void Load::Client(std::uint64_t seed) {
  Random random(seed);
  while (!stopping_) {
    Step(random);
    std::this_thread::sleep_for(std::chrono::milliseconds(10 + Below(random, 60)));
  }
}

void Load::Step(Random& random) {
  const std::uint64_t dice = Below(random, 100);
  if (dice < 44) {
    Schedule(book_.Add(Make(random)));
  } else if (dice < 54) {
    ScheduleBatch(random);
  } else if (dice < 62) {
    ScheduleStream(random);
  } else if (dice < 69) {
    Reschedule(random);
  } else if (dice < 75) {
    CancelOne(random);
  } else if (dice < 78) {
    CancelMany(random);
  } else if (dice < 81) {
    Block(random);
  } else if (dice < 82) {
    BlockForGood(random);
  } else if (dice < 88) {
    strangers_.Step(random);
  } else {
    AskAgain(random);
  }
}

Sms Load::Make(Random& random) {
  Sms sms = source_.Make(random);
  const std::lock_guard lock(blocked_mutex_);
  sms.must_be_blocked = blocked_for_good_.contains({sms.tenant, sms.request.target()});
  return sms;
}

void Load::Failed(const absl::Status& status, Sms* sms, const char* what) {
  if (IsIndefinite(status)) {
    ++figures_.lost_answers;
    if (sms != nullptr) book_.Change([&] { sms->indefinite = true; });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // nobody there: as a client does, not at once again
  } else if (absl::IsResourceExhausted(status) && sms != nullptr) {
    ++figures_.refused;
    book_.Change([&] { sms->refused = !sms->indefinite; });
  } else {
    findings_.Add(std::string(what) + " answered " + status.ToString());
  }
}

void Load::Schedule(Sms* sms) {
  ++figures_.calls;
  const auto answer = api_.Schedule(sms->tenant, sms->request);
  if (answer.ok()) return book_.Acknowledged(sms, *answer);
  Failed(answer.status(), sms, "Schedule");
}

std::vector<Sms*> Load::Several(Random& random) {
  std::vector<Sms*> items;
  Sms first = Make(random);
  const std::string tenant = first.tenant;
  items.push_back(book_.Add(std::move(first)));
  for (std::uint64_t more = Below(random, kItemsMax); more > 0; --more) {
    Sms sms = Make(random);
    if (sms.tenant == tenant) items.push_back(book_.Add(std::move(sms)));
  }
  return items;
}

void Load::Take(Sms* sms, const v1::ScheduleResult& result, const char* what) {
  if (result.has_scheduled()) return book_.Acknowledged(sms, result.scheduled());
  Failed(absl::Status(static_cast<absl::StatusCode>(result.error().code()), result.error().message()), sms, what);
}

void Load::ScheduleBatch(Random& random) {
  const std::vector<Sms*> items = Several(random);
  v1::ScheduleBatchRequest request;
  for (const Sms* sms : items) *request.add_items() = sms->request;
  ++figures_.calls;
  const auto answer = api_.ScheduleBatch(items.front()->tenant, request);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!answer.ok()) {
      Failed(answer.status(), items[i], "ScheduleBatch");
    } else if (answer->results_size() != static_cast<int>(items.size())) {
      findings_.Add("ScheduleBatch answered another number of items");
    } else {
      Take(items[i], answer->results(static_cast<int>(i)), "an item of ScheduleBatch");
    }
  }
}

void Load::ScheduleStream(Random& random) {
  const std::vector<Sms*> items = Several(random);
  std::vector<v1::ScheduleRequest> requests;
  for (const Sms* sms : items) requests.push_back(sms->request);
  ++figures_.calls;
  ++figures_.streams;
  const StreamAnswers answers = api_.ScheduleStream(items.front()->tenant, requests);
  if (!answers.end.ok()) ++figures_.streams_cut;
  if (answers.strange != 0) findings_.Add("ScheduleStream answered what was not asked, or twice");
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (answers.results[i].has_value()) {
      Take(items[i], *answers.results[i], "an item of ScheduleStream");
    } else if (answers.end.ok()) {
      findings_.Add("ScheduleStream ended well without all its answers");
    } else {
      Failed(answers.end, items[i], "ScheduleStream");
    }
  }
}

void Load::Reschedule(Random& random) {
  Sms* sms = book_.AnyAcknowledged(random());
  if (sms == nullptr) return;
  v1::RescheduleRequest request;
  std::string tenant;
  book_.Change([&] {
    if (sms->being_rescheduled || sms->orders.back().told_ms == 0) return;
    sms->being_rescheduled = true;
    tenant = sms->tenant;
    request.set_id(sms->id);
    Order order = sms->orders.back();
    const std::uint64_t what = Below(random, 3);
    if (what != 0) {
      order.slots = source_.FutureSlots(random, NowMs() / 1000 + static_cast<std::int64_t>(Below(random, 5)));
      request.set_schedule(ToText(order.slots));
    }
    if (what != 1) {
      order.text = source_.Text(random);
      request.set_payload(source_.Seal(random, tenant, sms->request.key(), order.text));
    }
    order.asked_ms = NowMs();
    order.told_ms = 0;
    sms->orders.push_back(std::move(order));
  });
  if (tenant.empty()) return;
  ++figures_.calls;
  const auto answer = api_.Reschedule(tenant, request);
  const std::int64_t now_ms = NowMs();
  const bool refused = absl::IsFailedPrecondition(answer.status());
  std::string id;
  book_.Change([&] {
    sms->being_rescheduled = false;
    id = sms->id;
    if (answer.ok()) sms->orders.back().told_ms = now_ms;
    if (refused) sms->orders.pop_back();
  });
  if (answer.ok()) {
    ++figures_.rescheduled;
    if (!request.schedule().empty() && answer->schedule() != request.schedule()) {
      findings_.Add(IdText(id) + " was rescheduled, but to other slots", id);
    }
  } else if (refused) {
    ++figures_.too_late;
  } else {
    Failed(answer.status(), nullptr, "Reschedule");
  }
}

void Load::CancelOne(Random& random) {
  Sms* sms = book_.AnyAcknowledged(random());
  if (sms == nullptr) return;
  v1::CancelRequest request;
  book_.Change([&] {
    sms->cancel_asked = true;
    request.set_id(sms->id);
  });
  ++figures_.calls;
  const auto answer = api_.Cancel(sms->tenant, request);
  if (!answer.ok()) return Failed(answer.status(), nullptr, "Cancel");
  ++figures_.cancels;
  const std::int64_t now_ms = NowMs();
  book_.Change([&] {
    if (sms->stopped_ms == 0) sms->stopped_ms = now_ms;
    if (answer->outcome() == v1::CANCEL_CANCELED && sms->canceled_ms == 0) sms->canceled_ms = now_ms;
  });
}

void Load::CancelMany(Random& random) {
  Stroke stroke{.what = Stroke::kCancel, .tenant = AnyTenant(random)};
  v1::CancelRequest request;
  const std::uint64_t by = Below(random, 4);
  const Sms* sms = by == 0 ? book_.AnyAcknowledged(random()) : nullptr;
  if (sms != nullptr && !sms->request.key().empty()) {
    stroke.by = Stroke::kKey;
    stroke.tenant = sms->tenant;
    request.set_key(stroke.name = sms->request.key());
  } else if (by == 1) {
    stroke.by = Stroke::kTarget;
    request.set_target(stroke.name = "t" + std::to_string(Below(random, kTargets)));
  } else {
    stroke.by = Stroke::kBatch;
    request.set_batch(stroke.name = "b" + std::to_string(Below(random, kBatches)));
  }
  const std::string tenant = stroke.tenant;
  Stroke* noted = book_.Begin(std::move(stroke));
  ++figures_.calls;
  if (const auto answer = api_.Cancel(tenant, request); !answer.ok()) {
    return Failed(answer.status(), nullptr, "Cancel");
  }
  ++figures_.cancels;
  book_.Change([&] { noted->told_ms = NowMs(); });
}

void Load::Block(Random& random) {
  const std::string tenant = AnyTenant(random);
  const std::string target = "t" + std::to_string(Below(random, kTargets));
  Stroke stroke{.what = Stroke::kBlock, .by = Stroke::kTarget, .tenant = tenant, .name = target};
  ++figures_.calls;
  if (Below(random, 2) == 0) {
    Stroke* noted = book_.Begin(stroke);
    const auto answer = api_.Block(tenant, target);
    if (answer.ok()) {
      ++figures_.blocks;
      book_.Change([&] { noted->told_ms = NowMs(); });
    } else {
      Failed(answer.status(), nullptr, "Block");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(Below(random, 300)));
  }
  stroke.what = Stroke::kUnblock;
  Stroke* noted = book_.Begin(stroke);
  const auto answer = api_.Unblock(tenant, target);
  if (!answer.ok()) return Failed(answer.status(), nullptr, "Unblock");
  book_.Change([&] { noted->told_ms = NowMs(); });
}

void Load::BlockForGood(Random& random) {
  const std::string tenant = AnyTenant(random);
  const std::string target = "x" + std::to_string(Below(random, kTargetsForGood));
  Stroke* noted = book_.Begin({.what = Stroke::kBlock, .by = Stroke::kTarget, .tenant = tenant, .name = target});
  ++figures_.calls;
  const auto answer = api_.Block(tenant, target);
  if (!answer.ok()) return Failed(answer.status(), nullptr, "Block");
  ++figures_.blocks;
  book_.Change([&] { noted->told_ms = NowMs(); });
  const std::lock_guard lock(blocked_mutex_);
  blocked_for_good_.emplace(tenant, target);
}

void Load::AskAgain(Random& random) {
  Sms* sms = book_.AnyOpen(random());
  if (sms == nullptr) sms = book_.AnyAcknowledged(random());
  if (sms == nullptr) return;
  ++figures_.asked_again;
  Schedule(sms);
}

bool Load::SettleOpen() {
  const std::int64_t until_ms = NowMs() + Patient(60'000);
  while (!book_.Open().empty() && NowMs() < until_ms) {
    for (Sms* sms : book_.Open()) {
      ++figures_.asked_again;
      Schedule(sms);
      if (sms->id.empty()) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  return book_.Open().empty();
}

}  // namespace smsflow::crash
