#include "gateway/toml_table.h"

#include <toml++/toml.h>

#include <set>
#include <utility>

#include "toml/nesting.h"

namespace smsflow::gateway {
namespace {

constexpr std::int64_t kDay_ms = 86'400'000;
constexpr std::size_t kNameBytesMax = 128;
constexpr std::size_t kShownMax = 40;

// A key is shown as it is, for nobody could find it otherwise, but no more than that.
std::string Shown(std::string_view key) {
  std::string shown(key.substr(0, kShownMax));
  for (char& c : shown) c = c > ' ' && c <= '~' ? c : '?';
  return shown;
}

// What is wrong with one file.
struct Errors {
  const std::string file;
  std::string text = {};
  void Add(std::uint32_t line, std::uint32_t column, std::string_view rule) {
    text.append(file).append(":").append(std::to_string(line)).append(":").append(std::to_string(column));
    text.append(": ").append(rule).append("\n");
  }
  absl::Status Status() const {
    return text.empty() ? absl::OkStatus() : absl::InvalidArgumentError(text.substr(0, text.size() - 1));
  }
};

}  // namespace

struct TomlTable::State {
  const toml::table& table;
  Errors& errors;
  std::set<std::string, std::less<>> asked = {};

  const toml::node* Find(std::string_view key) {
    asked.emplace(key);
    return table.get(key);
  }
};

TomlTable::TomlTable(std::unique_ptr<State> state) : state_(std::move(state)) {}

TomlTable::~TomlTable() {
  for (const auto& [key, node] : state_->table) {
    if (!state_->asked.contains(key.str())) RefuseAt(PlaceOf(key.source()), key.str(), "is not a key that there is");
  }
}

bool TomlTable::Has(std::string_view key) { return state_->Find(key) != nullptr; }

void TomlTable::Need(std::string_view key) {
  if (!state_->table.contains(key)) Refuse(key, "must be there");
}

void TomlTable::Refuse(std::string_view key, std::string_view rule) {
  const auto found = state_->table.find(key);
  const bool there = found != state_->table.end();
  RefuseAt(PlaceOf(there ? found->first.source() : state_->table.source()), key, rule);
}

void TomlTable::RefuseAt(Place place, std::string_view key, std::string_view rule) {
  state_->errors.Add(place.line, place.column, Shown(key) + " " + std::string(rule));
}

std::optional<std::int64_t> TomlTable::IntegerOf(std::string_view key, std::int64_t least, std::int64_t most) {
  const toml::node* node = state_->Find(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->value_exact<std::int64_t>();
  if (value && *value >= least && *value <= most) return value;
  Refuse(key, "must be an integer of " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<std::string> TomlTable::TextOf(std::string_view key) {
  const toml::node* node = state_->Find(key);
  return node == nullptr ? std::nullopt : node->value_exact<std::string>();
}

void TomlTable::Share(std::string_view key, double& out) {
  const toml::node* node = state_->Find(key);
  if (node == nullptr) return;
  const auto value = node->value<double>();
  if (!value || !(*value >= 0 && *value <= 1)) return Refuse(key, "must be a number of 0 to 1");
  out = *value;
}

void TomlTable::Flag(std::string_view key, bool& out) {
  const toml::node* node = state_->Find(key);
  if (node == nullptr) return;
  const auto value = node->value_exact<bool>();
  if (!value) return Refuse(key, "must be true or false");
  out = *value;
}

void TomlTable::Text(std::string_view key, std::string& out, std::size_t most) {
  if (!Has(key)) return;
  auto value = TextOf(key);
  if (!value || value->size() > most || value->find('\0') != std::string::npos) {
    return Refuse(key, "must be a text of at most " + std::to_string(most) + " octets");
  }
  out = std::move(*value);
}

void TomlTable::Ascii(std::string_view key, std::string& out, std::size_t most) {
  if (!Has(key)) return;
  auto value = TextOf(key);
  const bool plain = value && std::all_of(value->begin(), value->end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (!plain || value->empty() || value->size() > most) {
    return Refuse(key, "must be 1 to " + std::to_string(most) + " characters of ASCII");
  }
  out = std::move(*value);
}

void TomlTable::Names(std::string_view key, std::vector<std::string>& out) {
  const toml::node* node = state_->Find(key);
  if (node == nullptr) return;
  const toml::array* all = node->as_array();
  bool good = all != nullptr && !all->empty();
  for (std::size_t i = 0; good && i < all->size(); ++i) {
    const auto value = all->get(i)->value_exact<std::string>();
    good = value && !value->empty() && value->size() <= kNameBytesMax;
    if (good) out.push_back(*value);
  }
  if (!good) Refuse(key, "must be a list of names, each of 1 to 128 bytes");
}

void TomlTable::Milliseconds(std::string_view key, std::int64_t& least, std::int64_t& most) {
  const toml::node* node = state_->Find(key);
  if (node == nullptr) return;
  std::optional<std::int64_t> from = node->value_exact<std::int64_t>(), to = from;
  if (const toml::array* pair = node->as_array(); pair != nullptr && pair->size() == 2) {
    from = pair->get(0)->value_exact<std::int64_t>();
    to = pair->get(1)->value_exact<std::int64_t>();
  }
  if (!from || !to || *from < 0 || *to < *from || *to > kDay_ms) {
    return Refuse(key, "must be milliseconds of 0 to 86400000, or two of them: [from, to]");
  }
  least = *from;
  most = *to;
}

std::vector<TomlTable::Entry> TomlTable::Entries(std::string_view key) {
  std::vector<Entry> entries;
  const toml::node* node = state_->Find(key);
  if (node == nullptr) return entries;
  if (node->as_table() == nullptr) {
    Refuse(key, "must be a section");
    return entries;
  }
  for (const auto& [name, value] : *node->as_table()) {
    entries.push_back({std::string(name.str()), value.value_exact<std::string>(), PlaceOf(name.source())});
  }
  return entries;
}

void TomlTable::Integers(std::string_view key, Named& out, std::int64_t least, std::int64_t most) {
  const std::vector<Entry> entries = Entries(key);
  if (entries.empty()) return;
  Section(key, [&](TomlTable& names) {
    for (const Entry& entry : entries) names.Integer(entry.key, out[entry.key], least, most);
  });
}

void TomlTable::Section(std::string_view key, const ReadTable& read) {
  const toml::node* node = state_->Find(key);
  if (node == nullptr) return;
  if (node->as_table() == nullptr) return Refuse(key, "must be a section");
  TomlTable table(std::make_unique<State>(State{*node->as_table(), state_->errors}));
  read(table);
}

void TomlTable::Sections(std::string_view key, const ReadTable& read, std::size_t least, std::size_t most) {
  const toml::node* node = state_->Find(key);
  if (node == nullptr) return;
  const toml::array* all = node->as_array();
  const bool empty = all != nullptr && all->empty();
  if (all == nullptr || all->size() < least || all->size() > most || (!empty && !all->is_homogeneous<toml::table>())) {
    const bool bounded = most != std::numeric_limits<std::size_t>::max();
    return Refuse(key, "must be " + (bounded ? std::to_string(least) + " to " + std::to_string(most) + " " : "") +
                           "sections, each begun with [[" + std::string(key) + "]]");
  }
  for (const toml::node& one : *all) {
    TomlTable table(std::make_unique<State>(State{*one.as_table(), state_->errors}));
    read(table);
  }
}

absl::Status ReadToml(std::string_view toml, std::string_view name, const TomlTable::ReadTable& read) {
  Errors errors{std::string(name)};
  if (const auto line = LineWithTooManyDots(toml)) {
    errors.Add(*line, 1, kTomlTooManyDots);
    return errors.Status();
  }
  try {
    const toml::table root = toml::parse(toml);
    TomlTable table(std::make_unique<TomlTable::State>(TomlTable::State{root, errors}));
    read(table);
  } catch (const toml::parse_error& error) {
    // Its own words may repeat what stands in the file.
    const auto& at = error.source().begin;
    errors.Add(at.line, at.column, "not TOML from here on");
  }
  return errors.Status();
}

}  // namespace smsflow::gateway
