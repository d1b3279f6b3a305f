// The gateway's configuration: a TOML file whose keys are the long flags, and which tells where it is wrong.
#pragma once

#include <CLI/App.hpp>
#include <memory>

namespace smsflow::gateway {

// For app.config_formatter(), before app.parse(); reads the file of app.set_config() into `app`, which must outlive it.
// What a flag has set stays. A wrong file is a CLI::ConfigError: a line for each mistake, `FILE:LINE:COLUMN: KEY RULE`,
// and no value, for it may be a secret.
std::shared_ptr<CLI::Config> TomlConfigOf(CLI::App& app);

}  // namespace smsflow::gateway
