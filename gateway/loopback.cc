#include "gateway/loopback.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace smsflow::gateway {
namespace {

struct Script {
  std::string_view code;
  std::vector<ScriptedWord> words;
};

const std::vector<Script>& Scripts() {
  constexpr ScriptedWord sent{Reported::kSent, "", false}, later_sent{Reported::kSent, "", true};
  constexpr ScriptedWord delivered{Reported::kDelivered, "", false}, later_delivered{Reported::kDelivered, "", true};
  constexpr ScriptedWord expired{Reported::kExpired, "expired", false};
  constexpr ScriptedWord later_expired{Reported::kExpired, "expired", true};
  constexpr ScriptedWord invalid{Reported::kInvalid, "requested", false};
  constexpr ScriptedWord later_invalid{Reported::kInvalid, "requested", true};
  constexpr ScriptedWord failed{Reported::kFailedTransient, "requested", false};
  constexpr ScriptedWord later_failed{Reported::kFailedTransient, "requested", true};
  static const std::vector<Script> scripts = {
      {"S0D0", {}},
      {"S0D1", {delivered}},
      {"S1D0", {sent}},
      {"S0X1", {expired}},
      {"S0I1", {invalid}},
      {"S1X1", {sent, later_expired}},
      {"S1I1", {sent, later_invalid}},
      {"S1D1", {sent, later_delivered}},
      {"S2D0", {sent, later_sent}},
      {"D1S1", {delivered, later_sent}},
      {"S1F1", {sent, later_failed}},
      {"F1S1", {failed, later_sent}},
      {"FAIL", {later_failed}},
      {"", {sent, later_delivered}},  // in every text: what stands here holds for all others
  };
  return scripts;
}

Report Word(const AttemptId& attempt, Reported result, About about, std::string_view cause, std::int64_t at_ms) {
  return {attempt, result, about, std::string(cause), at_ms};
}

}  // namespace

std::vector<ScriptedWord> ScriptOf(std::string_view text) {
  const auto& scripts = Scripts();
  return std::find_if(scripts.begin(), scripts.end(),
                      [&](const Script& script) { return text.find(script.code) != std::string_view::npos; })
      ->words;
}

Loopback::Loopback(LoopbackOptions options, std::unique_ptr<Opener> opener, std::unique_ptr<TruthLog> truth,
                   engine::Clock& clock, FatalHandler fatal)
    : options_(options),
      opener_(std::move(opener)),
      truth_(std::move(truth)),
      clock_(clock),
      fatal_(std::move(fatal)) {}

Loopback::~Loopback() { Stop(); }

void Loopback::Start(CarrierEvents& events) {
  events_ = &events;
  thread_ = std::thread([this] { Loop(); });
}

void Loopback::Stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Loopback::Submit(std::vector<engine::Lease> leases) {
  {
    const std::lock_guard lock(mutex_);
    for (engine::Lease& lease : leases) submitted_.push_back(std::move(lease));
  }
  wake_.notify_one();
}

void Loopback::Loop() {
  for (;;) {
    const std::int64_t wait_ms = RunOnce();
    std::unique_lock lock(mutex_);
    const auto ready = [this] { return stopping_ || !submitted_.empty(); };
    if (wait_ms < 0) {
      wake_.wait(lock, ready);
    } else {
      wake_.wait_for(lock, std::chrono::milliseconds(wait_ms), ready);
    }
    if (stopping_) return;
  }
}

std::int64_t Loopback::RunOnce() {
  std::vector<engine::Lease> leases;
  {
    const std::lock_guard lock(mutex_);
    std::swap(leases, submitted_);
  }
  std::vector<Report> words;
  if (!leases.empty()) SubmitAll(leases, words);
  while (!due_.empty() && due_.top().at_ms <= clock_.SteadyMs()) {
    words.push_back(due_.top().word);
    words.back().at_ms = clock_.WallMs();
    due_.pop();
  }
  if (!words.empty()) events_->OnOutcomes(std::move(words));
  return due_.empty() ? -1 : std::max<std::int64_t>(due_.top().at_ms - clock_.SteadyMs(), 0);
}

void Loopback::SubmitAll(const std::vector<engine::Lease>& leases, std::vector<Report>& words) {
  std::vector<TruthLog::Submit> submits;
  std::vector<std::pair<AttemptId, crypto::Secret>> texts;
  for (const engine::Lease& lease : leases) {
    const std::int64_t now_ms = clock_.WallMs();
    Unreadable why;
    auto opened = opener_->Open(lease, why);
    if (!opened.has_value()) {
      words.push_back(Word(lease.attempt, why.for_now ? Reported::kFailedTransient : Reported::kInvalid, why.about,
                           why.cause, now_ms));
      continue;
    }
    if (now_ms >= lease.deadline_ms) {
      words.push_back(Word(lease.attempt, Reported::kExpired, About::kNotSaid, "expired", now_ms));
      continue;
    }
    submits.push_back({lease.attempt, now_ms, lease.deadline_ms});
    texts.emplace_back(lease.attempt, std::move(opened->sms.text));
  }
  if (truth_ != nullptr && !submits.empty()) {
    if (const auto status = truth_->Append(submits); !status.ok()) fatal_(status);
  }
  for (const auto& [attempt, text] : texts) Plan(attempt, text.Reveal());
}

void Loopback::Plan(const AttemptId& attempt, std::string_view text) {
  std::int64_t at_ms = clock_.SteadyMs();
  for (const ScriptedWord& word : ScriptOf(text)) {
    at_ms += word.after_long_delay ? options_.long_delay_ms : options_.normal_delay_ms;
    due_.push({at_ms, order_++, Word(attempt, word.result, About::kNotSaid, word.cause, 0)});
  }
}

}  // namespace smsflow::gateway
