#include "tools/smsc/script.h"

#include <toml++/toml.h>

#include <array>
#include <initializer_list>
#include <limits>
#include <optional>
#include <utility>

#include "smpp/unicode.h"

namespace smsflow::smsc {
namespace {

constexpr std::int64_t kHour_ms = 3'600'000;
constexpr std::int64_t kDay_ms = 24 * kHour_ms;
constexpr std::int64_t kMany = 1'000'000'000;
constexpr std::size_t kTextMax = 1024;

template <typename T>
struct Word {
  std::string_view word;
  T value;
};

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

// Reads one table, and collects what is wrong with it.
class Table {
 public:
  Table(const toml::table& table, std::string name, std::string& errors)
      : table_(table), name_(std::move(name)), errors_(errors) {}
  ~Table() {
    for (const auto& [key, node] : table_) {
      bool known = false;
      for (const std::string_view one : read_) known = known || key.str() == one;
      if (!known) Refuse(node, key.str(), "is not a key that there is");
    }
  }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  template <typename Number>
  void Integer(std::string_view key, Number& out, std::int64_t least, std::int64_t most) {
    const toml::node* node = Find(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::int64_t>();
    if (!value || *value < least || *value > most) {
      return Refuse(*node, key, "must be an integer of " + std::to_string(least) + " to " + std::to_string(most));
    }
    out = static_cast<Number>(*value);
  }

  void Share(std::string_view key, double& out) {
    const toml::node* node = Find(key);
    if (node == nullptr) return;
    const auto value = node->value<double>();
    if (!value || !(*value >= 0 && *value <= 1)) return Refuse(*node, key, "must be a number of 0 to 1");
    out = *value;
  }

  void Flag(std::string_view key, bool& out) {
    const toml::node* node = Find(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<bool>();
    if (!value) return Refuse(*node, key, "must be true or false");
    out = *value;
  }

  void Text(std::string_view key, std::string& out, std::size_t most) {
    const toml::node* node = Find(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::string>();
    if (!value || value->size() > most || value->find('\0') != std::string::npos) {
      return Refuse(*node, key, "must be a text of at most " + std::to_string(most) + " octets");
    }
    out = *value;
  }

  // One number, or two: from and to.
  void Milliseconds(std::string_view key, Delay& out) {
    const toml::node* node = Find(key);
    if (node == nullptr) return;
    std::optional<std::int64_t> least = node->value_exact<std::int64_t>(), most = least;
    if (const toml::array* pair = node->as_array(); pair != nullptr && pair->size() == 2) {
      least = pair->get(0)->value_exact<std::int64_t>();
      most = pair->get(1)->value_exact<std::int64_t>();
    }
    if (!least || !most || *least < 0 || *most < *least || *most > kDay_ms) {
      return Refuse(*node, key, "must be milliseconds of 0 to 86400000, or two of them: [from, to]");
    }
    out = {.least_ms = *least, .most_ms = *most};
  }

  template <typename Words, typename T>
  void OneOf(std::string_view key, const Words& words, T& out) {
    const toml::node* node = Find(key);
    if (node == nullptr) return;
    const auto value = node->value_exact<std::string>();
    std::string all;
    for (const auto& word : words) {
      if (value && *value == word.word) {
        out = word.value;
        return;
      }
      all.append(all.empty() ? "" : ", ").append(word.word);
    }
    Refuse(*node, key, "must be one of " + all);
  }

  // Of a required key that is not there.
  void Need(std::string_view key) {
    if (table_.contains(key)) return;
    errors_.append(name_).append(": line ").append(std::to_string(table_.source().begin.line)).append(": ");
    errors_.append(key).append(" must be there\n");
  }

  const toml::table* Section(std::string_view key) {
    const toml::node* node = Find(key);
    if (node == nullptr) return nullptr;
    if (node->as_table() == nullptr) Refuse(*node, key, "must be a section");
    return node->as_table();
  }

  std::vector<const toml::table*> Sections(std::string_view key) {
    std::vector<const toml::table*> sections;
    const toml::node* node = Find(key);
    if (node == nullptr) return sections;
    const toml::array* all = node->as_array();
    if (all == nullptr) {
      Refuse(*node, key, "must be sections, each begun with [[" + std::string(key) + "]]");
      return sections;
    }
    for (const toml::node& one : *all) {
      if (one.as_table() == nullptr) {
        Refuse(one, key, "must be sections, each begun with [[" + std::string(key) + "]]");
        return {};
      }
      sections.push_back(one.as_table());
    }
    return sections;
  }

 private:
  const toml::node* Find(std::string_view key) {
    read_.push_back(key);
    return table_.get(key);
  }
  void Refuse(const toml::node& node, std::string_view key, const std::string& rule) {
    errors_.append(name_).append(": line ").append(std::to_string(node.source().begin.line)).append(": ");
    errors_.append(key).append(" ").append(rule).append("\n");
  }

  const toml::table& table_;
  const std::string name_;
  std::string& errors_;
  std::vector<std::string_view> read_;
};

void ReadIds(Table table, Script& script) {
  table.Integer("first", script.first_id, 0, std::numeric_limits<std::int64_t>::max() / 2);
  table.OneOf("response", kIdStyles, script.response_id);
  table.OneOf("receipt", kIdStyles, script.receipt_id);
  table.OneOf("tlv", kTlvStyles, script.tlv_id);
  table.Integer("pad", script.pad, 0, 64);
}

void ReadReceipt(Table table, Script& script) {
  table.Milliseconds("delay_ms", script.receipt);
  table.OneOf("parts", kParts, script.parts);
  table.Flag("as_data_sm", script.as_data_sm);
  table.Text("format", script.format, kTextMax);
}

void ReadLimits(Table table, Script& script) {
  table.Integer("connections", script.connections, 1, 10'000);
  table.Integer("submits_per_s", script.submits_per_s, 0, 1'000'000);
  table.Integer("window", script.window, 1, 10'000);
  table.Integer("waiting", script.waiting, 1, 10'000'000);
  table.Integer("bind_within_ms", script.bind_within_ms, 1, kHour_ms);
  table.Integer("idle_ms", script.idle_ms, 1, kDay_ms);
  table.Integer("deliver_timeout_ms", script.deliver_timeout_ms, 1, kDay_ms);
}

void ReadFault(Table table, Script& script) {
  Fault fault;
  table.Need("kind");
  table.OneOf("kind", kFaults, fault.kind);
  table.Share("rate", fault.rate);
  table.Integer("every", fault.every, 1, kMany);
  table.Integer("from", fault.from, 1, kMany);
  table.Integer("to", fault.to, 1, kMany);
  table.Text("destination", fault.destination, smpp::kAddressSize - 1);
  table.Milliseconds("delay_ms", fault.delay);
  table.Integer("status", fault.status, 1, std::numeric_limits<std::uint32_t>::max());
  table.Text("stat", fault.stat, 32);
  table.Text("err", fault.err, 32);
  script.faults.push_back(std::move(fault));
}

void ReadInbound(Table table, Script& script) {
  Inbound inbound;
  table.Need("source");
  table.Need("destination");
  table.Integer("after_ms", inbound.after_ms, 0, kDay_ms);
  table.Text("source", inbound.source, smpp::kAddressSize - 1);
  table.Text("destination", inbound.destination, smpp::kAddressSize - 1);
  table.Text("text", inbound.text, kTextMax);
  script.inbound.push_back(std::move(inbound));
}

void ReadAccount(Table table, Script& script) {
  Account account;
  table.Need("system_id");
  table.Text("system_id", account.system_id, smpp::kSystemIdSize - 1);
  table.Text("password", account.password, smpp::kPasswordSize - 1);
  script.accounts.push_back(std::move(account));
}

void ReadAll(const toml::table& root, const std::string& name, Script& script, std::string& errors) {
  Table top(root, name, errors);
  top.Integer("seed", script.seed, 0, std::numeric_limits<std::int64_t>::max());
  top.Text("system_id", script.system_id, smpp::kSystemIdSize - 1);
  if (const auto* ids = top.Section("ids")) ReadIds({*ids, name, errors}, script);
  if (const auto* receipt = top.Section("receipt")) ReadReceipt({*receipt, name, errors}, script);
  if (const auto* limits = top.Section("limits")) ReadLimits({*limits, name, errors}, script);
  if (const auto* response = top.Section("response")) {
    Table(*response, name, errors).Milliseconds("delay_ms", script.response);
  }
  for (const auto* one : top.Sections("fault")) ReadFault({*one, name, errors}, script);
  for (const auto* one : top.Sections("inbound")) ReadInbound({*one, name, errors}, script);
  for (const auto* one : top.Sections("account")) ReadAccount({*one, name, errors}, script);
}

}  // namespace

absl::StatusOr<Script> ReadScript(std::string_view toml, std::string_view name) {
  const std::string file(name);
  if (!smpp::IsUtf8(toml)) return absl::InvalidArgumentError(file + ": must be UTF-8");
  Script script;
  std::string errors;
  try {
    ReadAll(toml::parse(toml), file, script, errors);
  } catch (const toml::parse_error& error) {
    return absl::InvalidArgumentError(file + ": line " + std::to_string(error.source().begin.line) + ": " +
                                      std::string(error.description()));
  }
  if (errors.empty()) return script;
  errors.pop_back();
  return absl::InvalidArgumentError(errors);
}

}  // namespace smsflow::smsc
