// The SMSC against which gateways are measured: smsflow-smsc as a process of its own, which takes everything, sends
// each receipt at once, and tells what it did in its truth. So what is counted is what the other side saw. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "tools/bench/child.h"

namespace smsflow::bench {

inline constexpr int kSmppWindow = 100;  // of every client, and of the SMSC towards it

// Of one client, since Read() was first asked.
struct SmscSaw {
  std::uint64_t submits = 0;
  std::uint64_t receipts = 0;        // that were answered
  std::int64_t first_submit_ms = 0;  // since the SMSC's start
  std::int64_t last_receipt_ms = 0;
  void Forget() { *this = {}; }
};

class SmscProcess {
 public:
  // Its truth lies in `folder`.
  static absl::StatusOr<std::unique_ptr<SmscProcess>> Start(const std::string& folder);
  ~SmscProcess();

  std::uint16_t port() const { return port_; }
  double cpu_s() const { return child_->cpu_s(); }
  // Reads what has been told since the last time. Of the clients that bound as `system_id`; may be changed.
  SmscSaw& Read(const std::string& system_id);

 private:
  SmscProcess() = default;
  void Take(std::string_view line);

  std::unique_ptr<Child> child_;
  std::uint16_t port_ = 0;
  int truth_ = -1;
  std::string rest_;
  std::map<std::uint64_t, std::string> clients_;  // by connection
  std::map<std::string, SmscSaw> saw_;
};

}  // namespace smsflow::bench
