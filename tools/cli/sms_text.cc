#include "tools/cli/sms_text.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/envelope.h"
#include "crypto/jwks.h"
#include "crypto/keys.h"
#include "crypto/old_envelope.h"
#include "ids/ids.h"
#include "tools/cli/files.h"
#include "tools/cli/states.h"
#include "tools/cli/time_text.h"

namespace smsflow::cli {

absl::StatusOr<std::string> ParseId(std::string_view text) {
  const auto id = InstanceId::Parse(text);
  if (id) return std::string(id->AsBytes());
  // What stands on the wire as correl-id is an attempt's; take the SMS it belongs to.
  if (const auto attempt = AttemptId::Parse(text)) return std::string(attempt->instance.AsBytes());
  return absl::InvalidArgumentError("id: not the id of an SMS (36 characters, as schedule and list print it)");
}

std::string IdText(std::string_view bytes) {
  const auto id = InstanceId::FromBytes(bytes);
  return id ? id->ToString() : "?";
}

absl::StatusOr<smsflow::v1::Filter> MakeFilter(const FilterArguments& arguments, std::int64_t now_ms) {
  smsflow::v1::Filter filter;
  filter.set_batch(arguments.batch);
  filter.set_key(arguments.key);
  filter.set_target(arguments.target);
  for (const std::string& name : arguments.states) {
    const auto state = ParseState(name);
    if (!state)
      return absl::InvalidArgumentError(
          "--state: must be PENDING, IN_SLOT, SENT, DELIVERED, EXPIRED, CANCELED, BLOCKED, INVALID, UNCONFIRMED or "
          "UNKNOWN");
    filter.add_states(*state);
  }
  const auto set_moment = [&](const std::string& text, const char* flag, auto set) -> absl::Status {
    if (text.empty()) return absl::OkStatus();
    const auto moment = ParseMoment(text, now_ms);
    if (!moment.ok()) return absl::InvalidArgumentError(absl::StrCat(flag, ": ", moment.status().message()));
    set(*moment);
    return absl::OkStatus();
  };
  if (auto status = set_moment(arguments.since, "--since", [&](auto ms) { filter.set_created_from_ms(ms); });
      !status.ok())
    return status;
  if (auto status = set_moment(arguments.until, "--until", [&](auto ms) { filter.set_created_till_ms(ms); });
      !status.ok())
    return status;
  return filter;
}

Cell StateCell(smsflow::v1::SmsState state) { return {StateName(state), StateColor(state)}; }

std::vector<std::string> StatusTitles() {
  return {"ID", "STATE", "TRIES", "DUE", "DEADLINE", "ENDED", "BATCH", "KEY", "TARGET", "CAUSE"};
}

std::vector<Cell> StatusCellsForPeople(const smsflow::v1::SmsStatus& sms, std::int64_t now_ms) {
  const auto time = [now_ms](std::int64_t ms) { return ms == 0 ? std::string() : ShortTime(ms, now_ms); };
  return {IdText(sms.id()),
          StateCell(sms.state()),
          std::to_string(sms.attempts()),
          time(sms.due_ms()),
          time(sms.deadline_ms()),
          time(sms.ended_ms()),
          sms.batch(),
          sms.key(),
          sms.target(),
          Cell(sms.cause(), Color::kRed)};
}

std::vector<Cell> StatusCellsForScripts(const smsflow::v1::SmsStatus& sms) {
  return {IdText(sms.id()),
          StateName(sms.state()),
          std::to_string(sms.attempts()),
          UtcTime(sms.due_ms()),
          UtcTime(sms.deadline_ms()),
          UtcTime(sms.ended_ms()),
          sms.batch(),
          sms.key(),
          sms.target(),
          sms.cause()};
}

std::string FromNow(std::int64_t ms, std::int64_t now_ms) {
  if (ms >= now_ms) return "in " + Span(ms - now_ms);
  return Span(now_ms - ms) + " ago";
}

absl::StatusOr<std::string> PlainText(const SmsText& sms) {
  const auto digits = sms.to.substr(std::min<std::size_t>(1, sms.to.size()));
  if (sms.to.empty() || sms.to.front() != '+' || digits.size() < 7 || digits.size() > 15 || digits.front() == '0' ||
      digits.find_first_not_of("0123456789") != std::string_view::npos)
    return absl::InvalidArgumentError("to: must be + and 7 to 15 digits, the first not 0");
  if (sms.sender.size() > 64 || sms.sender.find_first_of("\r\n") != std::string_view::npos)
    return absl::InvalidArgumentError("sender: must be one line of at most 64 bytes");
  const bool known = sms.priority == "code" || sms.priority == "transactional" || sms.priority == "bulk";
  if (!sms.priority.empty() && !known)
    return absl::InvalidArgumentError("priority: must be code, transactional or bulk");
  if (sms.text.empty()) return absl::InvalidArgumentError("text: must not be empty (--text or --text-file)");
  std::string plain;
  const auto line = [&plain](std::string_view name, std::string_view value) {
    if (!value.empty()) plain.append(name).append(": ").append(value).append("\n");
  };
  line("To", sms.to);
  line("Sender", sms.sender);
  line("Priority", sms.priority);
  return plain.append("\n").append(sms.text);
}

absl::StatusOr<crypto::PublicKey> ReadPublicKey(const std::string& path, std::string_view kid) {
  if (path.empty())
    return absl::InvalidArgumentError(
        "--pubkey: name the gateway's public key file to seal here (PEM, JWK or JWK Set)");
  const auto contents = ReadWholeFile(path);
  if (!contents.ok()) return contents.status();
  auto keys = crypto::ReadPublicKeys(*contents);
  if (!keys.ok()) return absl::InvalidArgumentError(absl::StrCat(path, ": ", keys.status().message()));
  if (kid.empty()) return std::move(keys->front());
  const auto found = std::find_if(keys->begin(), keys->end(), [kid](const auto& key) { return key.kid() == kid; });
  if (found == keys->end()) return absl::InvalidArgumentError(absl::StrCat("--kid: no key in ", path, " has it"));
  return std::move(*found);
}

absl::StatusOr<std::string> SealFromArguments(const Arguments& arguments, std::string_view key,
                                              const Terminal& terminal) {
  const SealArguments& seal = arguments.seal;
  if (arguments.tenant.empty() && !arguments.old_format)
    return absl::InvalidArgumentError(
        "--tenant: say whose credential schedules it (or SMSFLOW_TENANT); the envelope is bound to tenant and key");
  if (!seal.text.empty() && !seal.text_file.empty())
    return absl::InvalidArgumentError("--text, --text-file: give one of them");
  std::string text = seal.text;
  if (!seal.text_file.empty()) {
    auto contents = ReadFileOrStdin(seal.text_file, terminal.in);
    if (!contents.ok()) return contents.status();
    text = *std::move(contents);
  }
  const auto public_key = ReadPublicKey(seal.pubkey, seal.kid);
  if (!public_key.ok()) return public_key.status();
  const auto plain = PlainText({seal.to, seal.sender, seal.priority, text});
  if (!plain.ok()) return plain.status();
  if (arguments.old_format) return crypto::SealOldEnvelope(*public_key, *plain);
  return crypto::SealEnvelope(*public_key, crypto::EnvelopeSubject(arguments.tenant, key), *plain,
                              terminal.now_ms() / 1000);
}

}  // namespace smsflow::cli
