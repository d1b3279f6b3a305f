// Opens an SMS that nobody sealed.
#pragma once

#include <optional>
#include <utility>

#include "gateway/opener.h"

namespace smsflow::gateway {

class PlainOpener : public Opener {
 public:
  std::optional<OpenedSms> Open(const engine::Lease& lease, Unreadable& why) const override {
    crypto::Secret plaintext{std::string_view(lease.payload)};
    auto sms = ParsePlaintext(plaintext.Reveal(), why);
    if (!sms.ok()) return std::nullopt;
    return OpenedSms{std::move(plaintext), *std::move(sms)};
  }
};

}  // namespace smsflow::gateway
