// The gateway's configuration file, beside flags of each kind: what is wrong is told in lines that name the file and
// hold no value, and what was taken is what flags that say the same would be.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "gateway/config_file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/lines.h"
#include "tests/fuzz/memory_file.h"

using smsflow::fuzz::Require;

namespace {

// What the program declares, in small: a text, numbers with bounds, words of a list, lists, a file, a flag.
struct Options {
  Options() {
    app.set_config("--config", "");
    app.config_formatter(smsflow::gateway::TomlConfigOf(app));
    app.add_option("--gateway", text);
    app.add_option("--credit", number)->check(CLI::Range(1, 1000));
    app.add_option("--delay-ms", longer)->check(CLI::Range(std::int64_t{0}, std::int64_t{86'400'000}));
    app.add_option("--log-level", word)->check(CLI::IsMember({"info", "warn"}));
    app.add_option("--tenants", split)->delimiter(',');
    app.add_option("--key", several);
    app.add_option("--ca", file)->check(CLI::ExistingFile);
    app.add_flag("--loopback", flag);
  }
  CLI::App app;
  std::string text, word, file;
  int number = 0;
  std::int64_t longer = 0;
  std::vector<std::string> split, several;
  bool flag = false;

  bool operator==(const Options& other) const {
    return text == other.text && word == other.word && file == other.file && number == other.number &&
           longer == other.longer && split == other.split && several == other.several && flag == other.flag;
  }
};

// What it took, as flags.
std::vector<std::string> AsFlags(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_name() == "--config" || option->get_name() == "--help,-h") continue;
    for (const std::string& result : option->results()) words.push_back(option->get_name() + "=" + result);
  }
  return words;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const smsflow::fuzz::MemoryFile file("gateway.toml");
  file.Hold(smsflow::fuzz::View(data, size));
  Options read;
  try {
    read.app.parse(std::vector<std::string>{file.path(), "--config"});  // it takes them from the back
  } catch (const CLI::ConfigError& error) {
    smsflow::fuzz::RequireLines(error.what(), (file.path() + ":").c_str());
    return 0;
  }
  Require(read.number == 0 || (read.number >= 1 && read.number <= 1000), "a number is within its bounds");
  Require(read.longer >= 0 && read.longer <= 86'400'000, "a longer one too");
  Require(read.word.empty() || read.word == "info" || read.word == "warn", "a word is one of the list");
  std::vector<std::string> flags = AsFlags(read.app);
  // No flag says an empty text so that it is not the next word instead.
  if (std::any_of(flags.begin(), flags.end(), [](const std::string& flag) { return flag.back() == '='; })) return 0;
  std::reverse(flags.begin(), flags.end());
  Options again;
  again.app.parse(std::move(flags));
  Require(again == read, "flags that say the same give the same");
  return 0;
}
