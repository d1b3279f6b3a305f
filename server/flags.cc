// The only file of the server that knows CLI11.
#include "server/flags.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "logging/exit_codes.h"

namespace smsflow::server {

namespace {

// Flags that are another way to write a key; any key can be written as --set KEY=VALUE.
struct KeyFlag {
  const char* flag;
  const char* key;
  const char* help;
};
constexpr KeyFlag kKeyFlags[] = {
    {"--data", "data", "folder of the data; made when it is not there"},
    {"--index-key", "index_key", "file of the index key; by default <data>.key"},
    {"--grpc", "listen.grpc", "where to listen: HOST:PORT or unix:/PATH"},
    {"--metrics", "listen.metrics", "where metrics are served: HOST:PORT; empty for nowhere"},
    {"--log-level", "log.level", "trace, debug, info, warn, error or off"},
    {"--log-format", "log.format", "text or json"},
};

Setting Written(const std::string& key, std::string value, std::string origin) {
  Setting setting;
  setting.path = absl::StrSplit(key, '.');
  setting.value = std::move(value);
  setting.untyped = true;
  setting.origin = std::move(origin);
  return setting;
}

}  // namespace

ParsedFlags ParseFlags(int argc, const char* const* argv, const std::string& config_by_environment) {
  ParsedFlags parsed;
  Flags& flags = parsed.flags;
  flags.file = config_by_environment;
  CLI::App app("smsflowd, the engine of smsflow: schedules sealed SMSes and keeps them until they are delivered",
               "smsflowd");
  app.set_version_flag("--version", std::string("smsflowd " SMSFLOW_VERSION));
  app.add_option("--config", flags.file, "TOML file; also SMSFLOW_CONFIG");
  app.add_flag("--print-config", flags.print_config,
               "show what is in effect and where each value comes from, then end");
  bool plaintext = false;
  app.add_flag("--plaintext", plaintext, "listen without TLS: only on loopback or a unix socket");
  app.add_flag("--no-sync", flags.no_sync,
               "DANGEROUS: acknowledge before data is on disk; for proving that tests notice");
  app.add_flag(
      "--new-folder", flags.new_folder,
      "begin a new data folder though its index key is there; without it such a folder is taken for a disk that is "
      "not mounted");
  std::map<std::string, std::string> values;
  for (const KeyFlag& flag : kKeyFlags) app.add_option(flag.flag, values[flag.flag], flag.help);
  std::vector<std::string> pairs;
  app.add_option("--set", pairs, "any key: --set delivery.wait_after_fail=200ms")->take_all()->allow_extra_args(false);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    parsed.exit_code = code == 0 ? 0 : kExitUsage;
    return parsed;
  }
  for (const KeyFlag& flag : kKeyFlags) {
    if (app.count(flag.flag) > 0) {
      flags.settings.push_back(Written(flag.key, values[flag.flag], absl::StrCat("flag ", flag.flag)));
    }
  }
  if (plaintext) flags.settings.push_back(Written("listen.plaintext", "true", "flag --plaintext"));
  for (const std::string& pair : pairs) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      std::cerr << "smsflowd: flag --set: must be KEY=VALUE\n";
      parsed.exit_code = kExitUsage;
      return parsed;
    }
    flags.settings.push_back(Written(pair.substr(0, equals), pair.substr(equals + 1), "flag --set"));
  }
  return parsed;
}

}  // namespace smsflow::server
