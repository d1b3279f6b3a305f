// The whole program but for its standard streams, so that tests run it as users do.
//
// Blocks until the verb is done; one at a time.
#pragma once

#include <string>
#include <vector>

#include "tools/cli/terminal.h"

namespace smsflow::cli {

// `words` without the program's name. The exit code; an error has then left one line on Terminal::err.
int Run(const std::vector<std::string>& words, const Terminal& terminal);

}  // namespace smsflow::cli
