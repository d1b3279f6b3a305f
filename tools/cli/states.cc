#include "tools/cli/states.h"

#include <algorithm>
#include <string>

namespace smsflow::cli {

using smsflow::v1::SmsState;

std::string_view StateName(SmsState state) {
  if (state == smsflow::v1::SMS_STATE_UNSPECIFIED) return "new";
  if (!smsflow::v1::SmsState_IsValid(state)) return "?";
  return smsflow::v1::SmsState_Name(state);
}

std::optional<SmsState> ParseState(std::string_view name) {
  std::string upper(name);
  std::transform(upper.begin(), upper.end(), upper.begin(), [](char c) {
    if (c == '-') return '_';
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  SmsState state{};
  if (!smsflow::v1::SmsState_Parse(upper, &state) || state == smsflow::v1::SMS_STATE_UNSPECIFIED) return std::nullopt;
  return state;
}

Color StateColor(SmsState state) {
  switch (state) {
    case smsflow::v1::PENDING:
      return Color::kCyan;
    case smsflow::v1::IN_SLOT:
      return Color::kYellow;
    case smsflow::v1::SENT:
      return Color::kBlue;
    case smsflow::v1::DELIVERED:
      return Color::kGreen;
    case smsflow::v1::EXPIRED:
    case smsflow::v1::INVALID:
      return Color::kRed;
    case smsflow::v1::CANCELED:
    case smsflow::v1::BLOCKED:
      return Color::kDim;
    case smsflow::v1::UNCONFIRMED:
    case smsflow::v1::UNKNOWN:
      return Color::kMagenta;
    default:
      return Color::kNone;
  }
}

bool HasEnded(SmsState state) {
  return state != smsflow::v1::SMS_STATE_UNSPECIFIED && state != smsflow::v1::PENDING &&
         state != smsflow::v1::IN_SLOT && state != smsflow::v1::SENT;
}

}  // namespace smsflow::cli
