#include "tests/crash/truth.h"

#include <fstream>
#include <set>
#include <sstream>

#include "ids/ids.h"

namespace smsflow::crash {

Truth ReadTruth(const std::string& file, Findings& findings) {
  Truth truth;
  std::set<AttemptId> seen;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (in.eof()) break;  // without its end: half a line
    std::istringstream words(line);
    std::string text;
    Submit submit;
    words >> text >> submit.at_ms >> submit.deadline_ms;
    const auto attempt = AttemptId::Parse(text);
    if (!words || !attempt.has_value()) {
      findings.Add("a line of the truth log cannot be read: '" + line + "'");
      continue;
    }
    submit.attempt = attempt->number;
    const std::string id(attempt->instance.AsBytes());
    if (!seen.insert(*attempt).second) findings.Add(text + " was submitted twice", id);
    if (submit.at_ms >= submit.deadline_ms) findings.Add(text + " was submitted after its deadline", id);
    truth[id].push_back(submit);
  }
  return truth;
}

}  // namespace smsflow::crash
