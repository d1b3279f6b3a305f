#include "gateway/smsc_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "gateway/toml_table.h"

namespace smsflow::gateway {
namespace {

using smpp::FaultOf;
using smpp::IdForm;
using smpp::ReceiptMeaning;
using workflows::submission::PartsRule;

constexpr std::int64_t kDay_ms = 86'400'000;
constexpr std::size_t kConnectionsMax = 100;
constexpr std::size_t kNameMax = 32;
constexpr std::size_t kTenantMax = 128;

constexpr std::array kBinds = {Word<bool>{"transceiver", false}, Word<bool>{"pair", true}};
constexpr std::array kSegments = {Word<Segments>{"udh", Segments::kUdh8}, Word<Segments>{"udh-16", Segments::kUdh16},
                                  Word<Segments>{"sar", Segments::kSar}};
constexpr std::array kValidities = {Word<Validity>{"relative", Validity::kRelative},
                                    Word<Validity>{"absolute", Validity::kAbsolute},
                                    Word<Validity>{"none", Validity::kNone}};
constexpr std::array kReceipts = {
    Word<std::optional<PartsRule>>{"all", PartsRule::kAll}, Word<std::optional<PartsRule>>{"any", PartsRule::kAny},
    Word<std::optional<PartsRule>>{"first", PartsRule::kFirst},
    Word<std::optional<PartsRule>>{"last", PartsRule::kLast}, Word<std::optional<PartsRule>>{"none", std::nullopt}};
constexpr std::array kForms = {Word<std::optional<IdForm>>{"learn", std::nullopt},
                               Word<std::optional<IdForm>>{"same", IdForm::kSame},
                               Word<std::optional<IdForm>>{"from-decimal", IdForm::kFromDecimal},
                               Word<std::optional<IdForm>>{"from-hex", IdForm::kFromHex}};
constexpr std::array kMeanings = {Word<ReceiptMeaning>{"under-way", ReceiptMeaning::kUnderWay},
                                  Word<ReceiptMeaning>{"delivered", ReceiptMeaning::kDelivered},
                                  Word<ReceiptMeaning>{"failed", ReceiptMeaning::kFailedTransient},
                                  Word<ReceiptMeaning>{"failed-for-good", ReceiptMeaning::kFailedPermanent},
                                  Word<ReceiptMeaning>{"in-doubt", ReceiptMeaning::kInDoubt}};
constexpr std::array kRefusals = {Word<smpp::RefusalMeaning>{"message", {true, FaultOf::kMessage}},
                                  Word<smpp::RefusalMeaning>{"recipient", {true, FaultOf::kRecipient}},
                                  Word<smpp::RefusalMeaning>{"sender", {true, FaultOf::kSender}},
                                  Word<smpp::RefusalMeaning>{"route", {true, FaultOf::kRoute}},
                                  Word<smpp::RefusalMeaning>{"message-for-now", {false, FaultOf::kMessage}},
                                  Word<smpp::RefusalMeaning>{"recipient-for-now", {false, FaultOf::kRecipient}},
                                  Word<smpp::RefusalMeaning>{"sender-for-now", {false, FaultOf::kSender}},
                                  Word<smpp::RefusalMeaning>{"route-for-now", {false, FaultOf::kRoute}}};

bool IsName(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !name.empty() && name.size() <= kNameMax && std::all_of(name.begin(), name.end(), good);
}

bool IsLoopback(std::string_view host) { return host == "localhost" || host == "::1" || host.starts_with("127."); }

void ReadName(TomlTable& table, std::string_view key, std::string& out) {
  table.Ascii(key, out, 128);
  if (!out.empty() && !IsName(out)) table.Refuse(key, "must be 1 to 32 characters of A-Z a-z 0-9 . _ -");
}

// A file that is named here, and what stands in it.
void ReadFile(TomlTable& table, std::string_view key, bool secret, const FileReader& read, std::string& out) {
  std::string file;
  table.Ascii(key, file, 4096);
  if (file.empty()) return;
  auto text = read(file, secret);
  if (!text.ok()) return table.Refuse(key, std::string(text.status().message()));
  out = std::move(*text);
}

void ReadConnection(TomlTable& table, const FileReader& read, SmscLinkOptions& link) {
  table.Need("host");
  table.Ascii("host", link.host, 253);
  table.Integer("port", link.port, 1, std::numeric_limits<std::uint16_t>::max());
  table.OneOf("bind", kBinds, link.pair);
  bool plaintext = false;
  table.Flag("tls", link.tls);
  table.Flag("plaintext", plaintext);
  if (!link.tls && !plaintext && !IsLoopback(link.host)) {
    table.Refuse("host",
                 "is not this machine: tls = true, or plaintext = true where the way there is safe, must be said");
  }
  ReadFile(table, "ca_file", false, read, link.ca_pem);
  ReadFile(table, "cert_file", false, read, link.cert_pem);
  ReadFile(table, "key_file", true, read, link.key_pem);
}

void ReadSession(TomlTable& table, const FileReader& read, smpp::SessionOptions& session) {
  table.Need("system_id");
  table.Ascii("system_id", session.system_id, smpp::kSystemIdSize - 1);
  table.Ascii("system_type", session.system_type, 12);
  ReadFile(table, "password_file", true, read, session.password);
  while (!session.password.empty() && (session.password.back() == '\n' || session.password.back() == '\r')) {
    session.password.pop_back();
  }
  if (session.password.size() > smpp::kPasswordSize - 1) {
    table.Refuse("password_file", "must hold at most 8 characters: a bind has no room for more");
  }
  table.Integer("window", session.window, 1, 10'000);
  table.Integer("connect_ms", session.connect_ms, 1, kDay_ms);
  table.Integer("response_ms", session.response_ms, 1, kDay_ms);
  table.Integer("enquire_ms", session.enquire_ms, 1, kDay_ms);
  table.Integer("drain_ms", session.drain_ms, 1, kDay_ms);
  table.Integer("again_least_ms", session.again_least_ms, 1, kDay_ms);
  table.Integer("again_most_ms", session.again_most_ms, 1, kDay_ms);
  table.Integer("throttle_least_ms", session.throttle_least_ms, 1, kDay_ms);
  table.Integer("throttle_most_ms", session.throttle_most_ms, 1, kDay_ms);
  const auto order = [&table](std::string_view most, std::int64_t least_ms, std::int64_t most_ms) {
    if (most_ms < least_ms) table.Refuse(most, "must not be below the least");
  };
  order("again_most_ms", session.again_least_ms, session.again_most_ms);
  order("throttle_most_ms", session.throttle_least_ms, session.throttle_most_ms);
}

void ReadSms(TomlTable& table, SmscOptions& options) {
  table.Integer("away_ms", options.away_ms, 1, kDay_ms);
  table.Ascii("source", options.source, 20);
  table.Integer("source_ton", options.source_ton, 0, 6);
  table.Integer("source_npi", options.source_npi, 0, 18);
  table.Integer("destination_ton", options.destination_ton, 0, 6);
  table.Integer("destination_npi", options.destination_npi, 0, 18);
  table.Ascii("service_type", options.service_type, 5);
  table.Integer("gsm_coding", options.gsm_coding, 0, 255);
  table.OneOf("segments", kSegments, options.segments);
  table.Integer("segments_max", options.segments_max, 1, 255);
  table.OneOf("validity", kValidities, options.validity);
}

void ReadReceipts(TomlTable& table, SmscOptions& options) {
  std::optional<PartsRule> rule = PartsRule::kAll;
  table.OneOf("receipts", kReceipts, rule);
  options.receipts = rule.has_value();
  options.parts = rule.value_or(PartsRule::kAll);
  const auto form = [&](std::string_view key, smpp::IdSource source) {
    std::optional<IdForm> fixed;
    table.OneOf(key, kForms, fixed);
    if (fixed) options.forms.push_back({options.account, source, *fixed});
  };
  form("text_ids", smpp::IdSource::kText);
  form("tlv_ids", smpp::IdSource::kTlv);
  table.Map("states", kMeanings, [&](std::string_view word, ReceiptMeaning meaning) -> std::string_view {
    if (word.size() > 32) return "must be a word of at most 32 characters";
    options.meanings.MapWord(word, meaning);
    return {};
  });
  table.Map("errors", kMeanings, [&](std::string_view error, ReceiptMeaning meaning) -> std::string_view {
    if (error.size() > 32) return "must be a code of at most 32 characters";
    options.meanings.MapError(error, meaning);
    return {};
  });
  table.Map("refusals", kRefusals, [&](std::string_view status, smpp::RefusalMeaning meaning) -> std::string_view {
    constexpr std::string_view kRule = "must be a command_status, such as 0x45";
    std::uint32_t number = 0;
    if (!status.starts_with("0x")) return kRule;
    const auto [end, error] = std::from_chars(status.data() + 2, status.data() + status.size(), number, 16);
    if (error != std::errc() || end != status.data() + status.size() || number == 0) return kRule;
    options.refusals.Map(static_cast<smpp::CommandStatus>(number), meaning);
    return {};
  });
}

bool IsNumberPattern(std::string_view number) {
  if (number.ends_with('*')) number.remove_suffix(1);
  const auto letter = [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
  return number.size() <= smpp::kAddressSize - 1 && std::all_of(number.begin(), number.end(), letter);
}

void ReadInbound(TomlTable& table, const FileReader& read, SmscOptions& options) {
  std::string tenant, pem;
  std::vector<std::string> numbers;
  std::int64_t repeat_s = 600;
  table.Need("tenant");
  table.Text("tenant", tenant, kTenantMax);
  table.Need("numbers");
  table.Names("numbers", numbers);
  if (!std::all_of(numbers.begin(), numbers.end(), IsNumberPattern)) {
    table.Refuse("numbers", "must be of digits or letters, without a plus sign; a * at the end is for any more");
  }
  table.Integer("repeat_s", repeat_s, 0, 7 * kDay_ms / 1000);
  table.Need("key_file");
  ReadFile(table, "key_file", false, read, pem);
  if (pem.empty()) return;
  const auto key = crypto::PublicKey::FromFile(pem);
  if (!key.ok()) return table.Refuse("key_file", "must hold a public key, P-256 or RSA: PEM, JWK or base64");
  options.inbound.push_back({options.account, std::move(tenant), std::move(numbers), *key, repeat_s * 1000});
}

SmscOptions ReadOne(TomlTable& table, const FileReader& read) {
  SmscOptions options;
  table.Need("name");
  ReadName(table, "name", options.name);
  ReadName(table, "account", options.account);
  if (options.account.empty()) options.account = options.name;
  table.Names("tenants", options.tenants);
  ReadConnection(table, read, options.link);
  ReadSession(table, read, options.link.session);
  ReadSms(table, options);
  ReadReceipts(table, options);
  table.Sections("inbound", [&](TomlTable& one) { ReadInbound(one, read, options); });
  return options;
}

}  // namespace

absl::StatusOr<std::vector<SmscOptions>> ReadSmscConfig(std::string_view toml, std::string_view name,
                                                        const FileReader& read) {
  std::vector<SmscOptions> smscs;
  std::set<std::string> names;
  const auto read_one = [&](TomlTable& table) {
    smscs.push_back(ReadOne(table, read));
    const std::string& own = smscs.back().name;
    if (!own.empty() && !names.insert(own).second) table.Refuse("name", "must be another for each connection");
  };
  const auto status = ReadToml(toml, name, [&](TomlTable& top) {
    top.Need("smsc");
    top.Sections("smsc", read_one, 1, kConnectionsMax);
  });
  if (!status.ok()) return status;
  return smscs;
}

}  // namespace smsflow::gateway
