#include <string>
#include <vector>

#include "tools/cli/run.h"
#include "tools/cli/terminal.h"

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  return smsflow::cli::Run(words, smsflow::cli::RealTerminal());
}
