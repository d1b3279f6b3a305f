// Calls that must fail at once while all else goes on: wrong keys, other tenants' ids, bad input. Each has one right
// answer; that nothing was changed shows at the end, when the engine has no SMS that nobody was told of, and no life
// that nobody asked for.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "tests/crash/api.h"
#include "tests/crash/book.h"
#include "tests/crash/sms_source.h"

namespace smsflow::crash {

// Thread-safe.
class Strangers {
 public:
  // All outlive it.
  Strangers(Api& api, Book& book, Findings& findings, SmsSource& source);

  // One call, drawn at random.
  void Step(Random& random);
  std::uint64_t refused() const { return refused_; }
  std::uint64_t unanswered() const { return unanswered_; }

 private:
  struct Attempt {
    std::string what;
    absl::StatusCode right;
    std::function<absl::Status(Random&)> call;
  };
  void WithWrongKeys();
  void WithOthersIds();
  void WithBadInput();
  // An acknowledged SMS; a request to schedule one that nobody asked for.
  const Sms* Known(Random& random);
  v1::ScheduleRequest Fresh(Random& random, std::string* tenant);

  Api& api_;
  Book& book_;
  Findings& findings_;
  SmsSource& source_;
  std::vector<Attempt> attempts_;
  std::atomic<std::uint64_t> refused_{0}, unanswered_{0};
};

}  // namespace smsflow::crash
