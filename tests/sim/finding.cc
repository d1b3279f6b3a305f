#include "tests/sim/finding.h"

#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace smsflow::sim {
namespace {

constexpr std::size_t kNameMax = 16;  // "I12 and others"
constexpr int kStepMax = 1'000'000;

}  // namespace

std::string KindOf(const Finding& finding) {
  if (finding.violations.empty()) return "";
  const std::string& text = finding.violations.front();
  if (const std::size_t colon = text.find(':'); colon < kNameMax) return text.substr(0, colon);
  std::vector<std::string> words = absl::StrSplit(text, ' ');
  std::erase_if(words, [](const std::string& word) { return word.find_first_of("0123456789") != word.npos; });
  return absl::StrJoin(words, " ");
}

std::string TextOf(const std::set<int>& steps) {
  std::string text;
  for (auto at = steps.begin(); at != steps.end();) {
    const int from = *at;
    int to = from;
    while (++at != steps.end() && *at == to + 1) ++to;
    absl::StrAppend(&text, text.empty() ? "" : ",", from);
    if (to != from) absl::StrAppend(&text, "-", to);
  }
  return text;
}

std::optional<std::set<int>> StepsOf(std::string_view text) {
  std::set<int> steps;
  for (const absl::string_view range : absl::StrSplit(std::string(text), ',')) {
    const std::vector<absl::string_view> ends = absl::StrSplit(range, '-');
    int from = 0, to = 0;
    if (ends.size() > 2 || !absl::SimpleAtoi(ends.front(), &from) || !absl::SimpleAtoi(ends.back(), &to) || from < 1 ||
        to < from || to > kStepMax)
      return std::nullopt;
    for (int step = from; step <= to; ++step) steps.insert(step);
  }
  return steps;
}

std::string LineOf(const std::string& flag, std::uint64_t seed, const Played& played) {
  std::string line = absl::StrCat("tools/dev sim ", flag, flag.empty() ? "" : " ", "--first ", seed,
                                  " --seeds 1 --steps ", played.steps);
  if (!played.left_out.empty()) absl::StrAppend(&line, " --leave-out ", TextOf(played.left_out));
  if (!played.without.empty()) absl::StrAppend(&line, " --without \"", absl::StrJoin(played.without, ","), "\"");
  return line;
}

std::string TextOf(const Finding& finding, const std::string& line) {
  return absl::StrCat(absl::StrJoin(finding.trace, "\n"), "\n\n", absl::StrJoin(finding.violations, "\n"), "\n\n",
                      finding.journal, "\nagain: ", line, "\n");
}

}  // namespace smsflow::sim
