// An SMS as the PDUs in which it leaves. Nothing of it is copied into memory that is not wiped when it is given back.
//
// Values; used by one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/plaintext.h"
#include "gateway/smsc_options.h"
#include "smpp/pdu.h"

namespace smsflow::gateway {

class SmsPdus {
 public:
  SmsPdus() = default;
  ~SmsPdus();
  SmsPdus(const SmsPdus&) = delete;
  SmsPdus& operator=(const SmsPdus&) = delete;

  // nullopt: it is made. Else `sms` cannot be sent there, for this reason, which is for good. `sms` and `options`
  // outlive this; `left_ms` is what is left until its deadline, at least one second where a validity is asked for.
  std::optional<Unreadable> Make(const Sms& sms, const SmscOptions& options, std::int64_t left_ms, std::int64_t now_ms,
                                 std::uint16_t reference);

  std::size_t size() const { return texts_.size(); }
  // Of part `index`, from 0; good until anything else is called.
  smpp::Pdu Pdu(std::size_t index);

 private:
  std::optional<Unreadable> Cut(const Sms& sms, std::uint16_t reference);
  std::optional<Unreadable> Address(const Sms& sms);

  const SmscOptions* options_ = nullptr;
  smpp::Sm sm_;  // all parts have this
  std::string octets_;
  std::string validity_;
  std::vector<std::string> texts_;  // with their headers
  std::vector<smpp::TlvWriter> tlvs_;
};

}  // namespace smsflow::gateway
