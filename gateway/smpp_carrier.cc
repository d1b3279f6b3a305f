#include "gateway/smpp_carrier.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/random.h"
#include "gateway/smpp_connection.h"
#include "gateway/smsc_words.h"
#include "smpp/codec.h"
#include "smpp/receipt.h"

namespace smsflow::gateway {
namespace {

using workflows::submission::Answer;

constexpr std::size_t kLateMax = 10'000;       // unknown parts whose answer may still come
constexpr std::size_t kTagDigits = 8;          // of the end of a number: receipts write prefixes in their own way
constexpr std::int64_t kLeastLeft_ms = 1'000;  // no SMSC could do anything within less

}  // namespace

SmppCarrier::SmppCarrier(std::unique_ptr<Opener> opener, engine::Clock& clock, NoticeHandler notice)
    : opener_(std::move(opener)),
      clock_(clock),
      notice_(std::move(notice)),
      tag_key_(crypto::RandomBytes(32)),
      process_(static_cast<std::uint32_t>(crypto::Random64()) | 1U) {
  for (std::uint16_t& reference : references_) reference = static_cast<std::uint16_t>(crypto::Random64());
}

absl::StatusOr<std::unique_ptr<SmppCarrier>> SmppCarrier::Make(std::vector<SmscOptions> smscs,
                                                               std::unique_ptr<Opener> opener, engine::Clock& clock,
                                                               NoticeHandler notice, const LinkMaker& make_link,
                                                               InboundTaker* inbound) {
  std::unique_ptr<SmppCarrier> carrier(new SmppCarrier(std::move(opener), clock, std::move(notice)));
  carrier->inbound_ = inbound;
  for (SmscOptions& options : smscs) {
    if (options.account.empty()) options.account = options.name;
    options.link.session.waiting = 100'000;  // bounded by what is given to it
    if (!options.link.session.chance) {
      options.link.session.chance = [] { return static_cast<double>(crypto::Random64() >> 11) * 0x1.0p-53; };
    }
    auto connection = std::make_unique<Connection>(*carrier, std::move(options),
                                                   static_cast<std::uint32_t>(carrier->connections_.size()));
    auto link = make_link(connection->options.link, clock, *connection);
    if (!link.ok()) {
      return absl::Status(link.status().code(),
                          absl::StrCat("smsc ", connection->options.name, ": ", link.status().message()));
    }
    connection->link = std::move(*link);
    carrier->connections_.push_back(std::move(connection));
  }
  return carrier;
}

SmppCarrier::~SmppCarrier() { Stop(); }

void SmppCarrier::StartLinks(CarrierEvents& events) {
  events_ = &events;
  for (const auto& connection : connections_) {
    connection->link->Start();
  }
}

void SmppCarrier::Start(CarrierEvents& events) {
  StartLinks(events);
  thread_ = std::thread([this] { Loop(); });
}

void SmppCarrier::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  for (const auto& connection : connections_) connection->link->Stop();
  std::vector<AttemptId> left_behind;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& connection : connections_) {
      for (const engine::Lease& lease : connection->waiting) left_behind.push_back(lease.attempt);
      connection->waiting.clear();
    }
  }
  TellNotSent(left_behind, "smsc_unreachable");
}

// By the first connection that takes it and has a place: so the next one goes on when that is full, or lost.
bool SmppCarrier::Take(const engine::Lease& lease, const Route* route) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return false;
  bool taken_by_any = false;
  for (const auto& connection : connections_) {
    if (!connection->Takes(lease.tenant, route)) continue;
    taken_by_any = true;
    if (!connection->HasPlace()) continue;
    ++connection->reserved;
    connection->moved_ms = clock_.SteadyMs();
    taken_.insert_or_assign(lease.attempt, connection.get());
    return true;
  }
  return !taken_by_any;  // it fails at once
}

bool SmppCarrier::IsAway(const engine::Lease& lease, const Route* route) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return false;  // the next start takes it, or another gateway
  const std::int64_t now_ms = clock_.SteadyMs();
  bool taken_by_any = false, another_stands = false;
  for (const auto& connection : connections_) {
    const smpp::Standing standing = connection->link->standing();
    const bool away = connection->IsAway(standing, now_ms);
    if (connection->Takes(lease.tenant, route)) {
      if (!away) return false;
      taken_by_any = true;
    } else {
      another_stands = another_stands || (standing.may_submit && !away);
    }
  }
  return taken_by_any && another_stands;
}

// What has no place takes one of whoever would have it: it has an INTENT already.
SmppCarrier::Connection* SmppCarrier::PlaceOf(const engine::Lease& lease) {
  if (const auto taken = taken_.extract(lease.attempt); !taken.empty()) {
    --taken.mapped()->reserved;
    return taken.mapped();
  }
  const auto found = std::find_if(connections_.begin(), connections_.end(),
                                  [&](const auto& connection) { return connection->Takes(lease.tenant, nullptr); });
  return found == connections_.end() ? nullptr : found->get();
}

void SmppCarrier::Submit(std::vector<engine::Lease> leases) {
  std::vector<AttemptId> nobodys, late;
  {
    const std::lock_guard lock(mutex_);
    for (engine::Lease& lease : leases) {
      if (stopping_) {
        late.push_back(lease.attempt);
        continue;
      }
      Connection* const connection = PlaceOf(lease);
      if (connection == nullptr)
        nobodys.push_back(lease.attempt);
      else
        connection->waiting.push_back(std::move(lease));
    }
  }
  TellNotSent(nobodys, "no_route");
  TellNotSent(late, "smsc_unreachable");
  Wake();
}

void SmppCarrier::Acknowledge(const std::vector<Handle>& handles) {
  for (const Handle& handle : handles) {
    connections_[handle.connection]->link->Acknowledge(handle.key, smpp::CommandStatus::kOk);
  }
}

void SmppCarrier::Wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  wake_.notify_one();
}

void SmppCarrier::RunOnce() {
  for (const auto& connection : connections_) Serve(*connection);
}

void SmppCarrier::Loop() {
  for (;;) {
    bool more = false;
    for (const auto& connection : connections_) more = Serve(*connection) || more;
    std::unique_lock lock(mutex_);
    if (!more) wake_.wait(lock, [this] { return woken_ || stopping_; });
    woken_ = false;
    if (stopping_) return;
  }
}

bool SmppCarrier::Serve(Connection& connection) {
  constexpr std::size_t kAtOnce = 16;  // then the others have their turn
  std::deque<engine::Lease> turn;
  bool more = false;
  {
    const std::lock_guard lock(mutex_);
    while (!connection.waiting.empty() && turn.size() < kAtOnce) {
      turn.push_back(std::move(connection.waiting.front()));
      connection.waiting.pop_front();
    }
    connection.opening = turn.size();
    more = !connection.waiting.empty();
  }
  for (const engine::Lease& lease : turn) {
    Open(connection, lease);
    const std::lock_guard lock(mutex_);
    --connection.opening;
  }
  return more;
}

void SmppCarrier::Open(Connection& connection, const engine::Lease& lease) {
  Unreadable why;
  auto opened = opener_->Open(lease, why);
  const std::int64_t now_ms = clock_.WallMs(), left_ms = lease.deadline_ms - now_ms;
  if (opened.has_value() && left_ms < kLeastLeft_ms) {
    return Tell(lease.attempt, Reported::kExpired, About::kNotSaid, "expired");
  }
  SmsPdus pdus;
  std::optional<Unreadable> unfit = why;
  RecipientTag recipient;
  if (opened.has_value()) {
    recipient = TagOf(opened->sms.recipient);
    unfit = pdus.Make(opened->sms, connection.options, left_ms, now_ms, NextReference(recipient));
  }
  if (unfit.has_value()) {
    {
      const std::lock_guard lock(mutex_);
      ++connection.figures.invalid;
    }
    const Reported word = unfit->for_now ? Reported::kFailedTransient : Reported::kInvalid;
    return Tell(lease.attempt, word, unfit->about, unfit->cause);
  }
  SubmitParts(connection, lease.attempt, pdus, clock_.SteadyMs() + left_ms, recipient);
}

void SmppCarrier::SubmitParts(Connection& connection, const AttemptId& attempt, SmsPdus& pdus, std::int64_t until_ms,
                              const RecipientTag& recipient) {
  const auto parts = static_cast<std::uint8_t>(pdus.size());
  for (std::size_t i = 0; i < pdus.size(); ++i) {
    const UnderWay one{attempt, static_cast<std::uint8_t>(i + 1), parts, recipient};
    smpp::SubmitToken token = 0;
    {
      const std::lock_guard lock(mutex_);
      token = ++tokens_;
      connection.under_way.emplace(token, one);
      ++connection.figures.submitted;
    }
    const auto status = connection.link->Submit(token, pdus.Pdu(i), until_ms, {one.number, one.parts});
    if (status.ok()) continue;
    // Not taken, so nothing of it left.
    const bool unfit = absl::IsInvalidArgument(status);
    {
      const std::lock_guard lock(mutex_);
      connection.under_way.erase(token);
      ++connection.figures.invalid;
    }
    events_->OnParts({{.attempt = attempt,
                       .number = one.number,
                       .parts = parts,
                       .rule = connection.options.parts,
                       .answer = unfit ? Answer::kRefusedForGood : Answer::kGivenUp,
                       .about = unfit ? About::kMessage : About::kRoute,
                       .cause = unfit ? "invalid_message" : "smsc_unreachable",
                       .account = connection.options.account,
                       .message_id = {},
                       .recipient = recipient,
                       .at_ms = clock_.WallMs()}});
  }
}

void SmppCarrier::Tell(const AttemptId& attempt, Reported result, About about, std::string_view cause) {
  events_->OnOutcomes({{attempt, result, about, std::string(cause), clock_.WallMs()}});
}

void SmppCarrier::TellNotSent(const std::vector<AttemptId>& attempts, std::string_view cause) {
  for (const AttemptId& attempt : attempts) Tell(attempt, Reported::kFailedTransient, About::kRoute, cause);
}

void SmppCarrier::OnOutcome(Connection& connection, const smpp::action::Outcome& outcome) {
  UnderWay one;
  {
    const std::lock_guard lock(mutex_);
    const auto it = connection.under_way.find(outcome.token);
    if (it == connection.under_way.end()) return;
    SmscFigures& figures = connection.figures;
    if (it->second.told) {
      --connection.unknown;
      ++figures.late;
    }
    one = it->second;
    if (outcome.kind == smpp::OutcomeKind::kUnknown) {
      it->second.told = true;
      ++figures.unknown;
      // Tokens grow, so the first is the oldest.
      if (++connection.unknown > kLateMax) {
        const auto oldest = std::find_if(connection.under_way.begin(), connection.under_way.end(),
                                         [](const auto& other) { return other.second.told; });
        connection.under_way.erase(oldest);
        --connection.unknown;
      }
    } else {
      connection.under_way.erase(it);
      const bool answered = outcome.kind == smpp::OutcomeKind::kAccepted || outcome.kind == smpp::OutcomeKind::kRefused;
      if (answered) {
        connection.moved_ms = clock_.SteadyMs();
        connection.found_away = false;
      }
      figures.accepted += outcome.kind == smpp::OutcomeKind::kAccepted ? 1 : 0;
      figures.refused += outcome.kind == smpp::OutcomeKind::kRefused ? 1 : 0;
      figures.expired += outcome.kind == smpp::OutcomeKind::kExpired ? 1 : 0;
    }
    woken_ = true;
  }
  wake_.notify_one();
  events_->OnParts({AnswerOf(connection, one, outcome)});
}

PartAnswer SmppCarrier::AnswerOf(const Connection& connection, const UnderWay& one,
                                 const smpp::action::Outcome& outcome) const {
  PartAnswer answer{.attempt = one.attempt,
                    .number = one.number,
                    .parts = one.parts,
                    .rule = connection.options.parts,
                    .account = connection.options.account,
                    .recipient = one.recipient,
                    .at_ms = clock_.WallMs()};
  switch (outcome.kind) {
    case smpp::OutcomeKind::kAccepted:
      answer.answer = Answer::kAccepted;
      answer.message_id = outcome.message_id;
      break;
    case smpp::OutcomeKind::kRefused: {
      const auto meaning = connection.options.refusals.MeaningOf(outcome.status);
      const Blame blame = BlameOf(meaning, outcome.status);
      answer.answer = meaning.permanent ? Answer::kRefusedForGood : Answer::kRefused;
      answer.about = blame.about;
      answer.cause = blame.cause;
      break;
    }
    case smpp::OutcomeKind::kUnknown:
      answer.answer = Answer::kUnknown;
      break;
    case smpp::OutcomeKind::kExpired:
      answer.answer = Answer::kExpired;
      answer.cause = "expired";
      break;
    case smpp::OutcomeKind::kGivenUp:
      answer.answer = Answer::kGivenUp;
      answer.about = About::kRoute;
      answer.cause = "smsc_unreachable";
      break;
  }
  return answer;
}

void SmppCarrier::OnNotice(Connection& connection, const smpp::action::Notice& notice) {
  const std::string& name = connection.options.name;
  std::string line;
  bool is_good = false;
  {
    const std::lock_guard lock(mutex_);
    SmscFigures& figures = connection.figures;
    switch (notice.event) {
      case smpp::action::Event::kBound:
        line = absl::StrCat("smsc ", name, ": bound");
        is_good = true;
        break;
      case smpp::action::Event::kBindRefused:
        line = absl::StrCat("smsc ", name, ": the bind was refused with status ",
                            static_cast<std::uint32_t>(notice.status));
        break;
      case smpp::action::Event::kLost:
        ++figures.lost;
        line = absl::StrCat("smsc ", name, ": ", std::string(notice.why));
        break;
      case smpp::action::Event::kThrottled:
        ++figures.throttled;
        break;
      case smpp::action::Event::kStopped:
        break;
    }
    woken_ = true;
  }
  wake_.notify_one();
  if (!line.empty() && notice_) notice_(is_good ? LogLevel::kInfo : LogLevel::kWarn, line);
}

RecipientTag SmppCarrier::TagOf(std::string_view digits) const {
  if (digits.empty()) return {};
  const crypto::Digest mac = tag_key_.Mac(digits.substr(digits.size() - std::min(digits.size(), kTagDigits)));
  std::uint32_t hash = 0;
  for (std::size_t i = 0; i < 4; ++i) hash = hash << 8 | mac[i];
  return {process_, hash};
}

// Counted per recipient, so that two SMSes to one phone never share one.
std::uint16_t SmppCarrier::NextReference(const RecipientTag& recipient) {
  return ++references_[recipient.hash % references_.size()];
}

std::vector<SmscFigures> SmppCarrier::figures() const {
  const std::lock_guard lock(mutex_);
  std::vector<SmscFigures> all;
  for (const auto& connection : connections_) {
    SmscFigures figures = connection->figures;
    figures.bound = connection->link->standing().may_submit;
    figures.window = connection->options.link.session.window;
    figures.waiting = connection->waiting.size();
    figures.under_way = connection->under_way.size() - connection->unknown;
    all.push_back(std::move(figures));
  }
  return all;
}

}  // namespace smsflow::gateway
