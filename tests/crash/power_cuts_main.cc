// power_cuts: records a run of the engine on a disk, then cuts the power after its operations and flips bits of what
// they left. Exit codes: 0 all held, 1 something was broken, 2 the run itself failed.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>

#include "crypto/random.h"
#include "tests/crash/power_cuts.h"

namespace smsflow::crash {
namespace {

struct Flags {
  std::size_t commands = 2'000;
  double share = 1;
  std::size_t flips = 2'000;
  double seconds = 0;
  std::uint64_t seed = 0;
};

// On a disk of memory where there is one: what a real disk would keep is the model's to say, so no sync need be waited
// for.
std::string Workplace() {
  const char* memory = "/dev/shm";
  std::string pattern = ::access(memory, W_OK) == 0 ? memory : std::filesystem::temp_directory_path().string();
  pattern += "/smsflow-cuts-XXXXXX";
  return ::mkdtemp(pattern.data()) == nullptr ? "" : pattern;
}

void Print(const CutFigures& cuts, const FlipFigures& flips) {
  std::cout << "power cuts " << cuts.cuts << " (" << cuts.same << " more left the same): recovered " << cuts.recovered
            << ", repaired " << cuts.repaired << "\n ";
  for (const auto& [kind, count] : cuts.kinds) std::cout << " after " << kind << " " << count << ";";
  std::cout << "\n ";
  for (const auto& [loss, count] : cuts.losses) std::cout << " lost " << loss << " " << count << ";";
  std::cout << "\nflipped bits " << flips.flips << ": whole " << flips.whole << ", refused " << flips.refused
            << ", found when read " << flips.found << ", lost above the mark " << flips.unmarked << "; of the refused"
            << " and found, repaired " << flips.repaired << ", not to be repaired " << flips.beyond << "\n ";
  for (const auto& [file, count] : flips.files) std::cout << " in " << file << " " << count << ";";
  std::cout << std::endl;
}

int Main(Flags flags) {
  if (flags.seed == 0) flags.seed = crypto::Random64() % 1'000'000 + 1;
  const std::string folder = Workplace();
  if (folder.empty()) return 2;
  std::filesystem::create_directory(folder + "/run");
  std::cout << "seed " << flags.seed << ", folder " << folder << std::endl;
  const auto start = std::chrono::steady_clock::now();
  const RecordedRun run = RecordRun(folder + "/run", flags.commands, flags.seed);
  std::cout << "recorded " << run.commands << " commands and reports, " << run.acknowledged << " acknowledged, "
            << run.reports << " reports, in " << run.commits << " commits: " << run.disk->operations().size()
            << " operations of the disk" << std::endl;
  if (!run.strange.empty()) {
    std::cout << "the run itself: " << run.strange << "\n";
    return 2;
  }
  PowerCuts cuts(run, folder, flags.seed);
  // Half of the time for each.
  const auto after = [&](double share) {
    return [=, &flags] {
      const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start;
      return flags.seconds > 0 && passed.count() > flags.seconds * share;
    };
  };
  cuts.Cut(flags.share, after(0.6));
  cuts.Flip(flags.flips, after(1));
  Print(cuts.cuts(), cuts.flips());
  for (const std::string& broken : cuts.broken()) std::cout << "BROKEN: " << broken << "\n";
  if (cuts.broken().empty()) std::filesystem::remove_all(folder);
  return cuts.broken().empty() ? 0 : 1;
}

}  // namespace
}  // namespace smsflow::crash

int main(int argc, char** argv) {
  smsflow::crash::Flags flags;
  CLI::App app("Cuts the power at any operation of the disk, and looks whether anything acknowledged is lost.",
               "power_cuts");
  app.add_option("--commands", flags.commands, "of clients and gateway in the run")->check(CLI::Range(1, 100'000));
  app.add_option("--share", flags.share, "of all moments at which the power may be cut")->check(CLI::Range(0.0, 1.0));
  app.add_option("--flips", flags.flips, "bits to flip");
  app.add_option("--seconds", flags.seconds, "end after so long; 0: go to the end");
  app.add_option("--seed", flags.seed, "repeats what clients ask and what is drawn; 0: a new one");
  CLI11_PARSE(app, argc, argv);
  return smsflow::crash::Main(flags);
}
