#include "tools/smsc/script.h"

#include <array>
#include <limits>
#include <utility>

#include "gateway/toml_table.h"

namespace smsflow::smsc {
namespace {

using gateway::TomlTable;
using gateway::Word;

constexpr std::int64_t kHour_ms = 3'600'000;
constexpr std::int64_t kDay_ms = 24 * kHour_ms;
constexpr std::int64_t kMany = 1'000'000'000;
constexpr std::size_t kTextMax = 1024;

constexpr std::array kIdStyles = {Word<IdStyle>{"decimal", IdStyle::kDecimal}, Word<IdStyle>{"hex", IdStyle::kHex},
                                  Word<IdStyle>{"lower-hex", IdStyle::kLowerHex}};
constexpr std::array kTlvStyles = {Word<IdStyle>{"decimal", IdStyle::kDecimal}, Word<IdStyle>{"hex", IdStyle::kHex},
                                   Word<IdStyle>{"lower-hex", IdStyle::kLowerHex},
                                   Word<IdStyle>{"none", IdStyle::kNone}};
constexpr std::array kParts = {Word<ReceiptParts>{"each", ReceiptParts::kEach},
                               Word<ReceiptParts>{"first", ReceiptParts::kFirst},
                               Word<ReceiptParts>{"last", ReceiptParts::kLast}};
constexpr std::array kFaults = {Word<FaultKind>{"refuse", FaultKind::kRefuse},
                                Word<FaultKind>{"drop-response", FaultKind::kDropResponse},
                                Word<FaultKind>{"delay-response", FaultKind::kDelayResponse},
                                Word<FaultKind>{"early-receipt", FaultKind::kEarlyReceipt},
                                Word<FaultKind>{"drop-receipt", FaultKind::kDropReceipt},
                                Word<FaultKind>{"delay-receipt", FaultKind::kDelayReceipt},
                                Word<FaultKind>{"double-receipt", FaultKind::kDoubleReceipt},
                                Word<FaultKind>{"wrong-base", FaultKind::kWrongBase},
                                Word<FaultKind>{"fail", FaultKind::kFail},
                                Word<FaultKind>{"reset", FaultKind::kReset},
                                Word<FaultKind>{"close", FaultKind::kClose},
                                Word<FaultKind>{"silence", FaultKind::kSilence}};

void ReadIds(TomlTable& table, Script& script) {
  table.Integer("first", script.first_id, 0, std::numeric_limits<std::int64_t>::max() / 2);
  table.OneOf("response", kIdStyles, script.response_id);
  table.OneOf("receipt", kIdStyles, script.receipt_id);
  table.OneOf("tlv", kTlvStyles, script.tlv_id);
  table.Integer("pad", script.pad, 0, 64);
}

void ReadResponse(TomlTable& table, Script& script) {
  table.Milliseconds("delay_ms", script.response.least_ms, script.response.most_ms);
}

void ReadReceipt(TomlTable& table, Script& script) {
  table.Milliseconds("delay_ms", script.receipt.least_ms, script.receipt.most_ms);
  table.OneOf("parts", kParts, script.parts);
  table.Flag("as_data_sm", script.as_data_sm);
  table.Text("format", script.format, kTextMax);
}

void ReadLimits(TomlTable& table, Script& script) {
  table.Integer("connections", script.connections, 1, 10'000);
  table.Integer("submits_per_s", script.submits_per_s, 0, 1'000'000);
  table.Integer("window", script.window, 1, 10'000);
  table.Integer("waiting", script.waiting, 1, 10'000'000);
  table.Integer("bind_within_ms", script.bind_within_ms, 1, kHour_ms);
  table.Integer("idle_ms", script.idle_ms, 1, kDay_ms);
  table.Integer("deliver_timeout_ms", script.deliver_timeout_ms, 1, kDay_ms);
}

void ReadFault(TomlTable& table, Script& script) {
  Fault fault;
  table.Need("kind");
  table.OneOf("kind", kFaults, fault.kind);
  table.Share("rate", fault.rate);
  table.Integer("every", fault.every, 1, kMany);
  table.Integer("from", fault.from, 1, kMany);
  table.Integer("to", fault.to, 1, kMany);
  table.Text("destination", fault.destination, smpp::kAddressSize - 1);
  table.Milliseconds("delay_ms", fault.delay.least_ms, fault.delay.most_ms);
  table.Integer("status", fault.status, 1, std::numeric_limits<std::uint32_t>::max());
  table.Text("stat", fault.stat, 32);
  table.Text("err", fault.err, 32);
  script.faults.push_back(std::move(fault));
}

void ReadInbound(TomlTable& table, Script& script) {
  Inbound inbound;
  table.Need("source");
  table.Need("destination");
  table.Integer("after_ms", inbound.after_ms, 0, kDay_ms);
  table.Text("source", inbound.source, smpp::kAddressSize - 1);
  table.Text("destination", inbound.destination, smpp::kAddressSize - 1);
  table.Text("text", inbound.text, kTextMax);
  script.inbound.push_back(std::move(inbound));
}

void ReadAccount(TomlTable& table, Script& script) {
  Account account;
  table.Need("system_id");
  table.Text("system_id", account.system_id, smpp::kSystemIdSize - 1);
  table.Text("password", account.password, smpp::kPasswordSize - 1);
  script.accounts.push_back(std::move(account));
}

void ReadAll(TomlTable& top, Script& script) {
  const auto into = [&script](void (*read)(TomlTable&, Script&)) {
    return [read, &script](TomlTable& table) { read(table, script); };
  };
  top.Integer("seed", script.seed, 0, std::numeric_limits<std::int64_t>::max());
  top.Text("system_id", script.system_id, smpp::kSystemIdSize - 1);
  top.Section("ids", into(ReadIds));
  top.Section("receipt", into(ReadReceipt));
  top.Section("limits", into(ReadLimits));
  top.Section("response", into(ReadResponse));
  top.Sections("fault", into(ReadFault));
  top.Sections("inbound", into(ReadInbound));
  top.Sections("account", into(ReadAccount));
}

}  // namespace

absl::StatusOr<Script> ReadScript(std::string_view toml, std::string_view name) {
  Script script;
  const auto status = gateway::ReadToml(toml, name, [&script](TomlTable& top) { ReadAll(top, script); });
  if (!status.ok()) return status;
  return script;
}

}  // namespace smsflow::smsc
