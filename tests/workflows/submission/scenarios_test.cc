// Plays every scenario of tests/scenarios/submission: commands above the dashes, what happens below them. With
// SMSFLOW_REWRITE=1 in the environment the lower part is written anew; then read the difference before you keep it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "workflows/submission/submission.h"

namespace smsflow::workflows::submission {
namespace {

namespace fs = std::filesystem;
constexpr const char* kFolder = "tests/scenarios/submission";
constexpr std::int64_t kMinuteMs = 60'000;

void Append(std::string& to, std::initializer_list<std::string_view> pieces) {
  for (const std::string_view piece : pieces) to += piece;
}

template <class Value, class Values>
std::optional<Value> Named(std::string_view name, const Values& values) {
  for (const Value value : values)
    if (NameOf(value) == name) return value;
  return std::nullopt;
}

constexpr Answer kAnswers[] = {Answer::kUnknown, Answer::kAccepted, Answer::kExpired,
                               Answer::kGivenUp, Answer::kRefused,  Answer::kRefusedForGood};
constexpr Heard kHeards[] = {Heard::kInDoubt, Heard::kUnderWay, Heard::kFailed, Heard::kFailedForGood,
                             Heard::kDelivered};
constexpr PartsRule kRules[] = {PartsRule::kAll, PartsRule::kAny, PartsRule::kFirst, PartsRule::kLast};

// One attempt with its deadline at 10:00; the clock starts at 09:00. Everything that is stored is forgotten by
// "forget".
class Player {
 public:
  std::string Play(const std::vector<std::string>& commands) {
    for (const std::string& line : commands) Run(line);
    return output_;
  }

 private:
  void Run(const std::string& line) {
    const std::vector<std::string> words = absl::StrSplit(line.substr(0, line.find('#')), ' ', absl::SkipEmpty());
    const std::string word = words.empty() ? "" : words[0], first = words.size() > 1 ? words[1] : "",
                      second = words.size() > 2 ? words[2] : "";
    if (word == "clock") {
      now_ms_ = Minutes(first) * kMinuteMs;
    } else if (word == "rule") {
      rule_ = Named<PartsRule>(first, kRules).value_or(PartsRule{77});
    } else if (word == "forget") {
      if (deadline_ms_ <= now_ms_) pruned_ms_ = deadline_ms_;
      state_ = State::kNew;
      data_ = {};
    } else if (const auto event = EventOf(word, first, second)) {
      Apply(line, *event);
    } else {
      Append(output_, {"ERROR ", line, "\n"});
    }
  }

  std::optional<Event> EventOf(const std::string& word, const std::string& first, const std::string& second) const {
    if (word == "lease") return Lease{};
    if (word == "probe") return Probe{};
    if (word == "restart") return Restarted{};
    if (word == "part") {
      const std::vector<std::string> of = absl::StrSplit(first, '/');
      const auto answer = Named<Answer>(second, kAnswers);
      int number = 0, parts = 0;
      if (of.size() != 2 || !absl::SimpleAtoi(of[0], &number) || !absl::SimpleAtoi(of[1], &parts) || !answer)
        return std::nullopt;
      return Answered{static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(parts), rule_, *answer, {0, second}};
    }
    if (word == "receipt") {
      const auto heard = Named<Heard>(second, kHeards);
      int number = 0;
      if (!absl::SimpleAtoi(first, &number) || !heard) return std::nullopt;
      return Receipt{static_cast<std::uint8_t>(number), *heard, {0, second}};
    }
    if (word == "word") {
      const auto says = Named<State>(first, kAllStates);
      if (says) return Word{*says, {0, second}};
    }
    return std::nullopt;
  }

  void Apply(const std::string& line, const Event& event) {
    const StepResult result = Step({state_, data_, deadline_ms_, now_ms_, pruned_ms_}, event);
    Append(output_, {line, ": ", NameOf(state_)});
    if (result.state != state_) Append(output_, {" -> ", NameOf(result.state)});
    if (result.store) output_ += "; stored";
    if (result.submit) output_ += "; SUBMIT";
    if (result.tell) {
      Append(output_, {"; tell ", *result.tell == State::kIntent ? "ACCEPTED" : NameOf(*result.tell)});
      if (!result.why.cause.empty()) Append(output_, {" ", result.why.cause});
    }
    output_ += "\n";
    state_ = result.state;
    data_ = result.data;
  }

  static std::int64_t Minutes(const std::string& clock) {
    const std::vector<std::string> of = absl::StrSplit(clock, ':');
    int hours = 0, minutes = 0;
    if (of.size() != 2 || !absl::SimpleAtoi(of[0], &hours) || !absl::SimpleAtoi(of[1], &minutes)) ADD_FAILURE();
    return hours * 60 + minutes;
  }

  State state_ = State::kNew;
  Data data_;
  PartsRule rule_ = PartsRule::kAll;
  std::int64_t now_ms_ = 9 * 60 * kMinuteMs, deadline_ms_ = 10 * 60 * kMinuteMs, pruned_ms_ = 0;
  std::string output_;
};

std::vector<std::string> Pieces(const std::string& text, const char* divider) {
  return absl::StrSplit(text, divider, absl::SkipWhitespace());
}

// Divided by empty lines; each begins with a comment that says what it is about.
TEST(SubmissionScenarios, HappenAsWritten) {
  const bool rewrite = std::getenv("SMSFLOW_REWRITE") != nullptr;
  std::size_t played = 0;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() != ".txt") continue;
    std::ifstream in(entry.path());
    std::stringstream text;
    text << in.rdbuf();
    std::string fresh;
    for (const std::string& scenario : Pieces(text.str(), "\n\n")) {
      std::vector<std::string> commands;
      std::string output, head;
      for (const std::string& line : Pieces(scenario.substr(0, scenario.find("----")), "\n")) {
        Append(head, {line, "\n"});
        if (!line.starts_with('#')) commands.emplace_back(line);
      }
      Player player;
      Append(output, {head, "----\n", player.Play(commands)});
      EXPECT_EQ(output.find("ERROR"), output.npos) << output;
      if (!fresh.empty()) fresh += "\n";
      fresh += output;
      ++played;
    }
    if (rewrite)
      std::ofstream(entry.path()) << fresh;
    else
      EXPECT_EQ(text.str(), fresh) << entry.path();
  }
  EXPECT_GE(played, 20u) << "played from the root of the sources?";
}

}  // namespace
}  // namespace smsflow::workflows::submission
