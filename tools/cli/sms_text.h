// What several verbs need to say about SMSes: ids in, rows out, a text sealed.
//
// Pure functions but for files that are read; used from the main thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "smsflow/v1/scheduler.pb.h"
#include "tools/cli/arguments.h"
#include "tools/cli/table.h"
#include "tools/cli/terminal.h"

namespace smsflow::crypto {
class PublicKey;
}

namespace smsflow::cli {

// The 16 bytes of an id's text.
[[nodiscard]] absl::StatusOr<std::string> ParseId(std::string_view text);
std::string IdText(std::string_view bytes);

[[nodiscard]] absl::StatusOr<smsflow::v1::Filter> MakeFilter(const FilterArguments& arguments, std::int64_t now_ms);

Cell StateCell(smsflow::v1::SmsState state);
std::vector<std::string> StatusTitles();
std::vector<Cell> StatusCellsForPeople(const smsflow::v1::SmsStatus& sms, std::int64_t now_ms);
std::vector<Cell> StatusCellsForScripts(const smsflow::v1::SmsStatus& sms);  // UTC

// "in 3 min", "12 s ago"
std::string FromNow(std::int64_t ms, std::int64_t now_ms);

struct SmsText {
  std::string_view to, sender;
  std::string_view priority;  // code, transactional or bulk; may be empty
  std::string_view text;
};
// What a gateway reads: header lines, a blank line, the text. Checks form only; errors name the flag, never the value.
[[nodiscard]] absl::StatusOr<std::string> PlainText(const SmsText& sms);

// The first of the file's keys, or the one of `kid` where that is not empty.
[[nodiscard]] absl::StatusOr<crypto::PublicKey> ReadPublicKey(const std::string& path, std::string_view kid = "");

// The envelope for (tenant, key) from --to, --sender, --text, --pubkey.
[[nodiscard]] absl::StatusOr<std::string> SealFromArguments(const Arguments& arguments, std::string_view key,
                                                            const Terminal& terminal);

}  // namespace smsflow::cli
