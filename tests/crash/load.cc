#include "tests/crash/load.h"

#include <chrono>

#include "crypto/envelope.h"
#include "tests/crash/site.h"

namespace smsflow::crash {
namespace {

constexpr int kTargets = 30, kTargetsForGood = 3, kBatches = 40, kItemsMax = 12;

std::uint64_t Below(std::mt19937_64& random, std::uint64_t bound) { return random() % bound; }

// Mostly what goes well; now and then everything that the loopback knows.
std::string Text(std::mt19937_64& random) {
  static const std::vector<std::string> codes = {"S0D0", "S0D1", "S1D0", "S0X1", "S0I1", "S1X1", "S1I1",
                                                 "S1D1", "S2D0", "D1S1", "S1F1", "F1S1", "FAIL"};
  return Below(random, 2) == 0 ? "see you on Monday" : codes[Below(random, codes.size())];
}

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
  if (dice < 50) {
    Schedule(book_.Add(Make(random)));
  } else if (dice < 64) {
    ScheduleBatch(random);
  } else if (dice < 72) {
    CancelOne(random);
  } else if (dice < 74) {
    CancelBatch(random);
  } else if (dice < 77) {
    Block(random);
  } else if (dice < 78) {
    BlockForGood(random);
  } else {
    AskAgain(random);
  }
}

Sms Load::Make(Random& random) {
  Sms sms;
  const std::uint64_t number = ++count_;
  sms.tenant = kTenants[Below(random, 10) == 0 ? 2 : Below(random, 2)];
  sms.text = Text(random);
  v1::ScheduleRequest& request = sms.request;
  if (Below(random, 10) != 0) request.set_target("t" + std::to_string(Below(random, kTargets)));
  if (Below(random, 30) == 0) request.set_target("x" + std::to_string(Below(random, kTargetsForGood)));
  if (Below(random, 3) != 0) request.set_key("k" + std::to_string(number));
  if (Below(random, 2) != 0) request.set_batch("b" + std::to_string(Below(random, kBatches)));
  request.set_idempotency_key("i" + std::to_string(number));

  std::int64_t from_s = NowMs() / 1000 - 2 + static_cast<std::int64_t>(Below(random, 7));
  for (std::uint64_t slots = Below(random, 4) == 0 ? 2 : 1; slots > 0; --slots) {
    const std::int64_t till_s = from_s + 6 + static_cast<std::int64_t>(Below(random, 8));
    sms.slots.emplace_back(from_s, till_s);
    request.set_schedule(request.schedule() + (request.schedule().empty() ? "" : ";") + std::to_string(from_s) + "-" +
                         std::to_string(till_s));
    from_s = till_s + 1 + static_cast<std::int64_t>(Below(random, 4));
  }
  const auto envelope = crypto::SealEnvelope(key_, crypto::EnvelopeSubject(sms.tenant, request.key()),
                                             "To: +255123456789\nSender: TEST\n\n" + sms.text);
  request.set_payload(*envelope);
  const std::lock_guard lock(blocked_mutex_);
  sms.must_be_blocked = blocked_for_good_.contains({sms.tenant, request.target()});
  return sms;
}

void Load::Failed(const absl::Status& status, Sms* sms, const char* what) {
  if (IsIndefinite(status)) {
    ++figures_.lost_answers;
    if (sms != nullptr) book_.Change([&] { sms->indefinite = true; });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // nobody there: as a client does, not at once again
  } else if (absl::IsResourceExhausted(status)) {
    ++figures_.refused;
    if (sms != nullptr) book_.Change([&] { sms->refused = !sms->indefinite; });
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

void Load::ScheduleBatch(Random& random) {
  std::vector<Sms*> items;
  Sms first = Make(random);
  const std::string tenant = first.tenant;
  items.push_back(book_.Add(std::move(first)));
  for (std::uint64_t more = Below(random, kItemsMax); more > 0; --more) {
    Sms sms = Make(random);
    if (sms.tenant == tenant) items.push_back(book_.Add(std::move(sms)));
  }
  v1::ScheduleBatchRequest request;
  for (const Sms* sms : items) *request.add_items() = sms->request;
  ++figures_.calls;
  const auto answer = api_.ScheduleBatch(tenant, request);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!answer.ok()) {
      Failed(answer.status(), items[i], "ScheduleBatch");
    } else if (answer->results_size() != static_cast<int>(items.size())) {
      findings_.Add("ScheduleBatch answered another number of items");
    } else if (const auto& result = answer->results(static_cast<int>(i)); result.has_scheduled()) {
      book_.Acknowledged(items[i], result.scheduled());
    } else {
      Failed(absl::Status(static_cast<absl::StatusCode>(result.error().code()), result.error().message()), items[i],
             "an item of ScheduleBatch");
    }
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
  const std::int64_t now_ms = NowMs();
  if (answer->outcome() == v1::CANCEL_CANCELED) {
    book_.Change([&] { sms->canceled_ms = sms->canceled_ms == 0 ? now_ms : sms->canceled_ms; });
  }
}

void Load::CancelBatch(Random& random) {
  const std::string tenant = kTenants[Below(random, kTenants.size())];
  v1::CancelRequest request;
  request.set_batch("b" + std::to_string(Below(random, kBatches)));
  book_.Change([&] { book_.canceled_batches.emplace(tenant, request.batch()); });
  ++figures_.calls;
  if (const auto answer = api_.Cancel(tenant, request); !answer.ok()) Failed(answer.status(), nullptr, "Cancel");
}

void Load::Block(Random& random) {
  const std::string tenant = kTenants[Below(random, kTenants.size())];
  const std::string target = "t" + std::to_string(Below(random, kTargets));
  ++figures_.calls;
  if (Below(random, 3) == 0) {
    book_.Change([&] { book_.blocked_targets.emplace(tenant, target); });
    if (const auto answer = api_.Block(tenant, target); !answer.ok()) Failed(answer.status(), nullptr, "Block");
  }
  if (const auto answer = api_.Unblock(tenant, target); !answer.ok()) Failed(answer.status(), nullptr, "Unblock");
}

void Load::BlockForGood(Random& random) {
  const std::string tenant = kTenants[Below(random, kTenants.size())];
  const std::string target = "x" + std::to_string(Below(random, kTargetsForGood));
  book_.Change([&] { book_.blocked_targets.emplace(tenant, target); });
  ++figures_.calls;
  const auto answer = api_.Block(tenant, target);
  if (!answer.ok()) return Failed(answer.status(), nullptr, "Block");
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
  const std::int64_t until_ms = NowMs() + 60'000;
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
