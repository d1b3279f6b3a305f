// The only file that knows toml++, and the only one that meets its exceptions.
#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "server/setting.h"

namespace smsflow::server {

namespace {

// An empty table yields a setting of its own, so that a misspelled one is not overlooked.
class Flattener {
 public:
  explicit Flattener(std::string file) : file_(std::move(file)) {}

  void Table(const toml::table& table, const toml::source_region& at) {
    if (table.empty() && !path_.empty()) Add(Setting::Other{}, at);
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

  std::string file_;
  std::vector<std::string> path_;
  std::vector<Setting> settings_;
};

// What was expected, without what stands there instead: it may be a secret.
std::string WhatIsWrong(std::string text) {
  text.resize(std::min(text.size(), text.find(", saw")));
  const std::size_t number = text.find(": '"), after = text.rfind("' is not ");
  if (number != std::string::npos && after != std::string::npos && after > number)
    text.replace(number + 2, after + 1 - (number + 2), "a number");
  return text;
}

}  // namespace

absl::StatusOr<std::vector<Setting>> ReadTomlFile(const std::string& path) {
  // Read as a file it would be an empty one.
  std::error_code none;
  if (std::filesystem::is_directory(path, none)) return absl::NotFoundError(absl::StrCat(path, ": cannot be read"));
  try {
    const toml::table parsed = toml::parse_file(path);
    Flattener flattener(path);
    flattener.Table(parsed, parsed.source());
    return flattener.Take();
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    if (at.line == 0) return absl::NotFoundError(absl::StrCat(path, ": cannot be read"));
    return absl::InvalidArgumentError(absl::StrCat(path, ":", at.line, ":", at.column,
                                                   ": not TOML: ", WhatIsWrong(std::string(error.description()))));
  }
}

}  // namespace smsflow::server
