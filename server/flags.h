// The command line of smsflowd.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "server/setting.h"

namespace smsflow::server {

struct Flags {
  std::string file;  // --config
  bool print_config = false;
  bool no_sync = false;           // only here: no file can turn syncing off
  bool new_folder = false;        // only here: it is for one start
  std::vector<Setting> settings;  // what the other flags say
};

struct ParsedFlags {
  Flags flags;
  // When set, the process is to end with it: after --help, --version, or an error, which has been printed.
  std::optional<int> exit_code;
};

// `config_by_environment`: what SMSFLOW_CONFIG says, or empty.
ParsedFlags ParseFlags(int argc, const char* const* argv, const std::string& config_by_environment);

}  // namespace smsflow::server
