#include "gateway/config_file.h"

#include <toml++/toml.h>

#include <CLI/Config.hpp>
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "toml/nesting.h"
#include "toml/whole_text.h"

namespace smsflow::gateway {
namespace {

// What could pass for another line, or fill the log, is not shown.
std::string Shown(const std::string& key) {
  const bool plain = std::all_of(key.begin(), key.end(), [](char c) { return c > ' ' && c <= '~'; });
  return plain && key.size() <= 40 ? " " + key : "";
}

// As a flag would have it; nullopt for what no flag takes.
std::optional<std::string> WordOf(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) return text;
  if (const auto number = node.value_exact<std::int64_t>()) return absl::StrCat(*number);
  return std::nullopt;
}

std::optional<std::vector<std::string>> WordsOf(const toml::node& node) {
  const toml::array* const all = node.as_array();
  if (all == nullptr) {
    const auto word = WordOf(node);
    return word ? std::optional(std::vector{*word}) : std::nullopt;
  }
  std::vector<std::string> words;
  for (const toml::node& one : *all) {
    const auto word = WordOf(one);
    if (!word) return std::nullopt;
    words.push_back(*word);
  }
  return words;
}

// What CLI11 shows of an option in the help: `INT:INT in [1 - 1000]`, `TEXT:{info,warn}`, `TEXT:FILE`, `TEXT`.
std::string RuleOf(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const std::size_t colon = type.find(':');
  const std::string rule = colon == std::string::npos ? type : type.substr(colon + 1);
  if (rule == "FILE") return "must be a file that there is";
  if (rule.starts_with("PATH")) return "must be a file or folder that there is";
  if (rule.starts_with("TEXT")) return "must be a text";
  if (rule.starts_with('{')) return "must be one of " + rule.substr(1, rule.size() - 2);
  return "must be " + rule;
}

class TomlConfig : public CLI::Config {
 public:
  explicit TomlConfig(CLI::App& app) : app_(app) {}

  std::string to_config(const CLI::App*, bool, bool, std::string) const override { return ""; }  // nobody asks

  // Sets the options itself, for afterwards nobody knows where a value stood; so none is left to be set.
  std::vector<CLI::ConfigItem> from_config(std::istream& in) const override {
    const auto file = app_.get_config_ptr()->as<std::string>();
    std::string wrong;
    const auto add = [&](const toml::source_position& at, const std::string& what) {
      const std::uint32_t line = at.line, column = at.column;  // packed where they lie
      absl::StrAppend(&wrong, wrong.empty() ? "" : "\n", file, ":", line, ":", column, ": ", what);
    };
    const std::optional<std::string> text = WholeTextOf(in);
    if (!text) throw CLI::ConfigError(absl::StrCat(file, ": cannot be read"));
    try {
      if (const auto line = LineWithTooManyDots(*text))
        throw CLI::ConfigError(absl::StrCat(file, ":", *line, ":1: ", std::string(kTomlTooManyDots)));
      const toml::table table = toml::parse(*text);
      for (const auto& [key, node] : table) {
        const std::string rule = Set(std::string(key.str()), node);
        if (!rule.empty()) add(key.source().begin, rule);
      }
    } catch (const toml::parse_error& error) {
      add(error.source().begin, "not TOML from here on");  // its own words may repeat what stands there
    }
    if (!wrong.empty()) throw CLI::ConfigError(wrong);
    return {};
  }

 private:
  // What is wrong; empty for nothing.
  std::string Set(const std::string& key, const toml::node& node) const {
    CLI::Option* const option = app_.get_option_no_throw("--" + key);
    if (option == nullptr || !option->get_configurable()) return "unknown key" + Shown(key);
    const bool is_flag = option->get_expected_min() == 0;
    const auto truth = node.value_exact<bool>();
    const auto words = WordsOf(node);
    if (is_flag && !truth) return absl::StrCat(key, " must be true or false");
    if (!is_flag && !words) return absl::StrCat(key, " ", RuleOf(*option));
    if (!option->empty()) return "";  // a flag wins
    try {
      if (is_flag) {
        option->add_result(*truth ? "true" : "false");
      } else {
        option->add_result(*words);
        option->run_callback();
      }
    } catch (const CLI::ParseError&) {  // its words repeat the value
      return absl::StrCat(key, " ", RuleOf(*option));
    }
    return "";
  }

  CLI::App& app_;
};

}  // namespace

std::shared_ptr<CLI::Config> TomlConfigOf(CLI::App& app) { return std::make_shared<TomlConfig>(app); }

}  // namespace smsflow::gateway
