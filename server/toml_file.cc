// The only file that knows toml++, and the only one that meets its exceptions.
#include <toml++/toml.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/setting.h"
#include "toml/nesting.h"
#include "toml/whole_text.h"

namespace smsflow::server {

namespace {

// An empty table yields a setting of its own, so that a misspelled one is not overlooked.
class Flattener {
 public:
  explicit Flattener(std::string file) : file_(std::move(file)) {}

  void Table(const toml::table& table, const toml::source_region& at) {
    if (table.empty() && !path_.empty()) Add(Setting::Other{}, at);
    if (path_.size() > kDeepest) return Add(Setting::Other{}, at);  // no key that there is; and this is recursion
    for (const auto& [name, node] : table) {
      path_.emplace_back(name.str());
      Node(node, name.source());
      path_.pop_back();
    }
  }
  std::vector<Setting> Take() { return std::move(settings_); }

 private:
  void Node(const toml::node& node, const toml::source_region& name) {
    if (const toml::table* table = node.as_table()) return Table(*table, name);
    const toml::array* array = node.as_array();
    if (array != nullptr && array->is_array_of_tables()) return Tables(*array);
    if (array != nullptr) {
      Add(Strings(*array), name);
    } else if (const auto text = node.value_exact<std::string>()) {
      Add(*text, name);
    } else if (const auto number = node.value_exact<std::int64_t>()) {
      Add(*number, name);
    } else if (const auto truth = node.value_exact<bool>()) {
      Add(*truth, name);
    } else {
      Add(Setting::Other{}, name);
    }
  }

  void Tables(const toml::array& array) {
    for (std::size_t i = 0; i < array.size(); ++i) {
      path_.push_back(absl::StrCat(i));
      Table(*array[i].as_table(), array[i].source());
      path_.pop_back();
    }
  }

  void Add(Setting::Value value, const toml::source_region& at) {
    settings_.push_back(
        {path_, std::move(value), false, absl::StrCat(file_, ":", at.begin.line, ":", at.begin.column)});
  }

  static Setting::Value Strings(const toml::array& array) {
    std::vector<std::string> strings;
    for (const toml::node& item : array) {
      const auto text = item.value_exact<std::string>();
      if (!text) return Setting::Other{};
      strings.push_back(*text);
    }
    return strings;
  }

  static constexpr std::size_t kDeepest = 16;
  std::string file_;
  std::vector<std::string> path_;
  std::vector<Setting> settings_;
};

// What was expected, without what stands there instead: it may be a secret. A name stays if it is short and holds no
// digit, as ours are; toml++ cuts what is long, and then its last quotation mark is missing.
std::string WhatIsWrong(std::string text) {
  constexpr std::size_t kNameBytesMax = 32;
  text.resize(std::min(text.size(), text.find(", saw")));
  const std::size_t open = text.find('\'');
  if (open == std::string::npos) return text;
  const std::size_t close = text.rfind('\''), after = close > open ? close + 1 : text.size();
  const std::string quoted = text.substr(open, after - open);
  if (text.find(" is not ", after) == after) return text.replace(open, after - open, "a number");
  if (close == open || quoted.size() > kNameBytesMax || quoted.find_first_of("0123456789") != std::string::npos)
    return text.replace(open, after - open, "what stands here");
  return text;
}

// Nullopt if it cannot be read. A folder would read as an empty file.
std::optional<std::string> TextOf(const std::string& path) {
  std::error_code none;
  if (std::filesystem::is_directory(path, none)) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  return WholeTextOf(file);
}

absl::Status NotToml(const std::string& path, std::uint32_t line, std::uint32_t column, std::string_view rule) {
  return absl::InvalidArgumentError(
      absl::StrCat(path, ":", line, ":", column, ": not TOML: ", absl::string_view(rule.data(), rule.size())));
}

}  // namespace

absl::StatusOr<std::vector<Setting>> ReadTomlFile(const std::string& path) {
  const std::optional<std::string> text = TextOf(path);
  if (!text) return absl::NotFoundError(absl::StrCat(path, ": cannot be read"));
  if (const auto line = LineWithTooManyDots(*text)) return NotToml(path, *line, 1, kTomlTooManyDots);
  try {
    const toml::table parsed = toml::parse(*text);
    Flattener flattener(path);
    flattener.Table(parsed, parsed.source());
    return flattener.Take();
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    return NotToml(path, at.line, at.column, WhatIsWrong(std::string(error.description())));
  }
}

}  // namespace smsflow::server
