#include <cstdlib>
#include <string>
#include <vector>

#include "tools/cli/run.h"
#include "tools/cli/terminal.h"

int main(int argc, char** argv) {
  // An error is one line here, and it is ours; gRPC would add its own. Whoever sets the variable wants to see them.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);  // NOLINT(concurrency-mt-unsafe): there is no other thread
  const std::vector<std::string> words(argv + 1, argv + argc);
  return smsflow::cli::Run(words, smsflow::cli::RealTerminal());
}
