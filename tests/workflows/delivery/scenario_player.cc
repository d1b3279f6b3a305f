#include "tests/workflows/delivery/scenario_player.h"

#include <cstdio>
#include <sstream>

#include "workflows/delivery/retry.h"

namespace smsflow::workflows::delivery {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kMondayMs = 1'767'571'200'000;  // 2026-01-05T00:00:00Z
constexpr std::int64_t kStartMs = kMondayMs + 9 * 3'600'000;

// `[+Nd]HH:MM[:SS[.mmm]]`
std::optional<std::int64_t> TimeOf(const std::string& text) {
  int days = 0, hours = 0, minutes = 0, seconds = 0, ms = 0;
  const char* rest = text.c_str();
  if (*rest == '+') {
    int read = 0;
    if (std::sscanf(rest, "+%dd%n", &days, &read) != 1 || read == 0) return std::nullopt;
    rest += read;
  }
  if (std::sscanf(rest, "%d:%d:%d.%d", &hours, &minutes, &seconds, &ms) < 2) return std::nullopt;
  return kMondayMs + days * kDayMs + ((hours * 60 + minutes) * 60 + seconds) * 1000LL + ms;
}

// `200ms`, `5s`, `10m`, `25h`, `90d`
std::optional<std::int64_t> SpanOf(const std::string& text) {
  std::size_t read = 0;
  std::int64_t count = 0;
  try {
    count = std::stoll(text, &read);
  } catch (const std::exception&) {
    return std::nullopt;
  }
  const std::string unit = text.substr(read);
  if (unit == "ms") return count;
  if (unit == "s") return count * 1000;
  if (unit == "m") return count * 60'000;
  if (unit == "h") return count * 3'600'000;
  if (unit == "d") return count * kDayMs;
  return std::nullopt;
}

std::optional<Reported> ReportedOf(const std::string& word) {
  for (int number = 1; number <= 9; ++number)
    if (NameOf(static_cast<Reported>(number)) == word) return static_cast<Reported>(number);
  return std::nullopt;
}

std::uint32_t AttemptOf(const std::string& word) {
  const std::size_t dot = word.find('.');
  return dot == word.npos ? 0 : static_cast<std::uint32_t>(std::stoul(word.substr(dot + 1)));
}

// What the kernel would do with it, as far as a reader cares.
std::string Consequences(const Decision& decision, const std::function<std::string(std::int64_t)>& time) {
  std::string text;
  for (const Effect& effect : decision.effects)
    text += effect.kind == EffectKind::kLease ? "; handed over, deadline " + time(effect.deadline_ms) : "; probe";
  if (!decision.settled.empty()) text += "; credit free";
  if (decision.erase_payload) text += "; payload erased";
  if (decision.take_payload) text += "; payload replaced";
  return text;
}

}  // namespace

ScenarioPlayer::ScenarioPlayer() : life_(kStartMs) { life_.policy.max_jitter_ms = 0; }

ScenarioPlayer::Words ScenarioPlayer::Split(const std::string& line) {
  Words words;
  std::istringstream in(line.substr(0, line.find('#')));
  for (std::string word; in >> word;) {
    const std::size_t equals = word.find('=');
    if (equals == word.npos)
      words.plain.push_back(word);
    else
      words.named[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return words;
}

std::string ScenarioPlayer::Play(const std::vector<std::string>& commands) {
  for (const std::string& line : commands) {
    Run(line);
    life_.FireDue();
    TellNew();
  }
  return output_;
}

void ScenarioPlayer::Run(const std::string& line) {
  const Words words = Split(line);
  if (words.plain.empty()) return;
  const std::string& verb = words.plain[0];
  const std::string what = words.plain.size() > 1 ? words.plain[1] : "";
  if (verb == "clock") return Clock(words);
  if (verb == "away") return Away(words);
  if (verb == "policy") return SetPolicy(words);
  if (verb == "schedule") return ScheduleSms(words);
  if (verb == "report") return ReportAttempt(words);
  if (verb == "reschedule") return RescheduleSms(words);
  if (verb == "resolve") return ResolveSms(words);
  if (verb == "show") return Show();
  if (verb == "cancel") return void(life_.Apply(EncodeCancel()));
  if (verb == "look") return void(life_.Apply(EncodeLookNow()));
  if (verb == "lost") return void(life_.Apply({kPeerLost, {}, 0, AttemptOf(what)}));
  if (verb == "blocked") return void(life_.blocked = what == "on");
  if (verb == "block") {
    life_.blocked = true;
    return void(life_.Apply(EncodeBlock()));
  }
  if (verb == "random") return void(life_.random = what == "max" ? ~std::uint64_t{0} : what == "half" ? 1ULL << 63 : 0);
  if (verb == "credit") return void(life_.credit = what == "on");
  output_ += "ERROR no such command: " + verb + "\n";
}

std::optional<std::int64_t> ScenarioPlayer::Instant(const Words& words) {
  const std::string& to = words.plain.at(1);
  if (const auto span = to[0] == '+' ? SpanOf(to.substr(1)) : std::nullopt) return life_.now_ms() + *span;
  const auto time = TimeOf(to);
  if (!time) output_ += "ERROR no such time: " + to + "\n";
  return time;
}

void ScenarioPlayer::Clock(const Words& words) {
  if (const auto at_ms = Instant(words)) life_.AdvanceTo(*at_ms);
}

void ScenarioPlayer::Away(const Words& words) {
  if (const auto at_ms = Instant(words)) life_.BeAwayUntil(*at_ms);
}

void ScenarioPlayer::SetPolicy(const Words& words) {
  Policy& policy = life_.policy;
  const std::map<std::string, std::int64_t*> spans = {{"wait_after_fail", &policy.wait_after_fail_ms},
                                                      {"ack_send_timeout", &policy.ack_send_timeout_ms},
                                                      {"max_jitter", &policy.max_jitter_ms},
                                                      {"ack_receipt_timeout", &policy.ack_receipt_timeout_ms},
                                                      {"probe", &policy.probe_ms},
                                                      {"retention", &policy.retention_ms}};
  for (const auto& [name, value] : words.named) {
    const auto span = spans.find(name);
    if (span != spans.end())
      *span->second = SpanOf(value).value();
    else if (name == "max_attempts")
      policy.max_attempts = static_cast<std::uint32_t>(std::stoul(value));
    else if (name == "on_unknown")
      policy.on_unknown = value == "retry" ? OnUnknown::kRetry : OnUnknown::kHold;
    else if (name == "dedupe")
      policy.dedupe = value == "on";
    else
      output_ += "ERROR no such policy: " + name + "\n";
  }
}

std::optional<Slots> ScenarioPlayer::SlotsOf(const Words& words) {
  if (const auto text = words.named.find("schedule"); text != words.named.end()) {
    const ParsedSlots parsed = ParseSlots(text->second, zones_.get());
    if (parsed.ok()) return parsed.slots;
    output_ += "refused: schedule: " + parsed.error + "\n";
    return std::nullopt;
  }
  Slots slots;
  const auto named = words.named.find("slots");
  std::istringstream in(named == words.named.end() ? "" : named->second);
  for (std::string one; std::getline(in, one, ',');) {
    const std::size_t slash = one.find('/');
    slots.push_back({*TimeOf(one.substr(0, slash)) / 1000, *TimeOf(one.substr(slash + 1)) / 1000});
  }
  return Normalise(std::move(slots));
}

void ScenarioPlayer::ScheduleSms(const Words& words) {
  const auto slots = SlotsOf(words);
  if (!slots) return;
  const auto named = [&](const char* name) { return words.named.contains(name) ? words.named.at(name) : ""; };
  const Fixed fixed{named("batch"), named("key"), named("key_id"), *slots};
  life_.Apply(EncodeSchedule({fixed}), true);
}

void ScenarioPlayer::ReportAttempt(const Words& words) {
  const auto reported = ReportedOf(words.plain.at(2));
  if (!reported) {
    output_ += "ERROR no such result: " + words.plain[2] + "\n";
    return;
  }
  const std::string cause = words.named.contains("cause") ? words.named.at("cause") : "";
  life_.Apply(EncodeReport({AttemptOf(words.plain[1]), *reported, About::kNotSaid, cause, 0}));
}

void ScenarioPlayer::RescheduleSms(const Words& words) {
  Reschedule asked;
  if (words.named.contains("slots") || words.named.contains("schedule")) {
    asked.slots = SlotsOf(words);
    if (!asked.slots) return;
  }
  asked.payload = words.named.contains("payload");
  if (words.named.contains("key_id")) asked.key_id = words.named.at("key_id");
  life_.Apply(EncodeReschedule(asked), asked.payload);
}

void ScenarioPlayer::ResolveSms(const Words& words) {
  const std::string& how = words.plain.at(2);
  life_.Apply(EncodeResolve(how == "delivered" ? How::kDelivered : how == "retry" ? How::kRetry : How::kGiveUp));
}

std::string ScenarioPlayer::TimeText(std::int64_t ms) const {
  const std::int64_t since = ms - kMondayMs, day = since / kDayMs, in_day = since % kDayMs;
  char text[48];
  std::snprintf(text, sizeof text, "%02d:%02d:%02d", static_cast<int>(in_day / 3'600'000),
                static_cast<int>(in_day / 60'000 % 60), static_cast<int>(in_day / 1000 % 60));
  std::string shown = day == 0 ? text : "+" + std::to_string(day) + "d" + text;
  if (ms % 1000 != 0) {
    std::snprintf(text, sizeof text, ".%03d", static_cast<int>(ms % 1000));
    shown += text;
  }
  return shown;
}

void ScenarioPlayer::Tell(const Step& step) {
  const Decision& decision = step.decision;
  const bool stored = decision.verdict == Verdict::kApplied || decision.verdict == Verdict::kNoted;
  std::string who = "a", states(NameOf(step.from)), text;
  if (decision.about != 0) who += "." + std::to_string(decision.about);
  if (step.to != step.from) states.append(" -> ").append(NameOf(step.to));
  if (stored) {
    text = step.description.event;
    if (step.from == State::kNew && decision.ended) text += " on arrival";
    if (!step.description.detail.empty() && step.event.kind == kReportEvent) text += ": " + step.description.detail;
    if (decision.verdict == Verdict::kNoted && text.find("noted") == text.npos) text += ", noted";
    text += Consequences(decision, [this](std::int64_t ms) { return TimeText(ms); });
    const SmsView view = life_.View();
    if (step.to == State::kPending && &step == &life_.steps().back())
      text += "; due " + TimeText(view.due_ms) + ", slot ends " + TimeText(view.deadline_ms);
    if (!decision.cause.empty()) text += "; cause " + decision.cause;
  } else {
    text = life_.workflow().Describe(step.event, EncodeSchedule({}).body, {}).event;
    text += decision.verdict == Verdict::kIgnored ? ": ignored" : decision.code == Refusal::kNone ? ": " : " refused: ";
    text += decision.reason;
  }
  const Outcome outcome = static_cast<Outcome>(decision.outcome);
  if (outcome != Outcome::kNone && outcome != Outcome::kReported && outcome != Outcome::kNoted &&
      outcome != Outcome::kScheduled)
    text.append("; ").append(NameOf(outcome));
  char line[96];
  std::snprintf(line, sizeof line, "%-12s  %-4s %-24s ", TimeText(step.at_ms).c_str(), who.c_str(), states.c_str());
  output_ += line + text + "\n";
}

void ScenarioPlayer::TellNew() {
  for (; told_ < life_.steps().size(); ++told_) Tell(life_.steps()[told_]);
}

void ScenarioPlayer::Show() {
  TellNew();
  const SmsView view = life_.View();
  output_.append("  ").append(NameOf(view.state)).append(", attempts ").append(std::to_string(view.attempts));
  if (view.due_ms != 0) output_ += ", due " + TimeText(view.due_ms) + ", slot ends " + TimeText(view.deadline_ms);
  if (!view.cause.empty()) output_ += ", cause " + view.cause;
  if (view.stop != Stop::kNone) output_ += view.stop == Stop::kCancel ? ", stopped by cancel" : ", stopped by block";
  output_ += life_.has_payload() ? ", has its payload" : ", no payload";
  if (life_.ended()) output_ += ", over until " + TimeText(*life_.retain_until_ms());
  output_ += "\n";
  for (const auto& [name, timer] : life_.timers()) {
    output_.append("  timer ").append(NameOf(static_cast<Timer>(name))).append(" ").append(TimeText(*timer.due_ms));
    if (timer.gated) output_ += " gated" + (timer.lane.empty() ? "" : ", lane " + timer.lane);
    output_ += "\n";
  }
}

}  // namespace smsflow::workflows::delivery
