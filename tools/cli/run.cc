#include "tools/cli/run.h"

#include <algorithm>
#include <array>

#include "tools/cli/connection.h"
#include "tools/cli/failure.h"
#include "tools/cli/verbs.h"

namespace smsflow::cli {
namespace {

struct OnlineVerb {
  Verb verb;
  Outcome (*run)(Session&);
};
constexpr std::array kOnline = {
    OnlineVerb{Verb::kSchedule, RunSchedule}, OnlineVerb{Verb::kReschedule, RunReschedule},
    OnlineVerb{Verb::kGet, RunGet},           OnlineVerb{Verb::kList, RunList},
    OnlineVerb{Verb::kSummary, RunSummary},   OnlineVerb{Verb::kCancel, RunCancel},
    OnlineVerb{Verb::kBlock, RunBlock},       OnlineVerb{Verb::kUnblock, RunUnblock},
    OnlineVerb{Verb::kBlocked, RunBlocked},   OnlineVerb{Verb::kWatch, RunWatch},
    OnlineVerb{Verb::kImport, RunImport},     OnlineVerb{Verb::kJournal, RunJournal},
    OnlineVerb{Verb::kWhy, RunWhy},           OnlineVerb{Verb::kReplay, RunReplay},
    OnlineVerb{Verb::kVerify, RunVerify},     OnlineVerb{Verb::kStats, RunStats},
    OnlineVerb{Verb::kResolve, RunResolve},   OnlineVerb{Verb::kPause, RunPause},
    OnlineVerb{Verb::kResume, RunResume},     OnlineVerb{Verb::kDrain, RunDrain},
    OnlineVerb{Verb::kDoctor, RunDoctor},     OnlineVerb{Verb::kAccount, RunAccount},
    OnlineVerb{Verb::kClient, RunClient},     OnlineVerb{Verb::kRole, RunRole},
};

struct LocalVerb {
  Verb verb;
  Outcome (*run)(const Arguments&, const Terminal&);
};
constexpr std::array kLocal = {
    LocalVerb{Verb::kKeygen, RunKeygen},         LocalVerb{Verb::kSeal, RunSeal},
    LocalVerb{Verb::kUnseal, RunUnseal},         LocalVerb{Verb::kJwks, RunJwks},
    LocalVerb{Verb::kGraph, RunGraph},           LocalVerb{Verb::kDb, RunDb},
    LocalVerb{Verb::kCompletion, RunCompletion}, LocalVerb{Verb::kDeadLetter, RunDeadLetter},
};

Outcome RunVerb(const Arguments& arguments, const Terminal& terminal) {
  const auto is_wanted = [&](const auto& entry) { return entry.verb == arguments.verb; };
  if (const auto local = std::find_if(kLocal.begin(), kLocal.end(), is_wanted); local != kLocal.end())
    return local->run(arguments, terminal);
  const auto online = std::find_if(kOnline.begin(), kOnline.end(), is_wanted);
  if (online == kOnline.end()) return absl::InvalidArgumentError("there is no such verb; see smsflow --help");
  auto connection = Connection::Open(arguments.connection, arguments.tenant);
  if (!connection.ok()) return connection.status();
  Session session{arguments, terminal, **connection};
  return online->run(session);
}

}  // namespace

int Run(const std::vector<std::string>& words, const Terminal& terminal) {
  const ParsedArguments parsed = ParseArguments(words);
  if (!parsed.run) {
    if (words.empty() || parsed.exit_code == kExitOk)
      terminal.out << parsed.text;
    else
      terminal.err << "smsflow: " << parsed.text << "\n";
    return parsed.exit_code;
  }
  const Outcome outcome = RunVerb(parsed.arguments, terminal);
  terminal.out.flush();
  if (!outcome.ok()) {
    terminal.err << "smsflow: " << outcome.status().message() << std::endl;
    return ExitCodeOf(outcome.status());
  }
  if (!terminal.out) {
    terminal.err << "smsflow: the output could not be written" << std::endl;
    return kExitUnreachable;
  }
  return *outcome;
}

}  // namespace smsflow::cli
