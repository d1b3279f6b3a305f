// What each verb does. A verb prints its answer to Terminal::out and gives its exit code, or an error that the caller
// prints as one line. All block on the server, and run in the main thread.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "tools/cli/arguments.h"
#include "tools/cli/terminal.h"

namespace smsflow::cli {

class Connection;

using Outcome = absl::StatusOr<int>;  // an exit code of failure.h

struct Session {
  const Arguments& arguments;
  const Terminal& terminal;
  Connection& connection;

  // Tables and local times; else lines for a script.
  bool ForPeople() const { return terminal.out_is_terminal && !arguments.plain && !arguments.json; }
};

// schedule.cc
Outcome RunSchedule(Session& session);
Outcome RunReschedule(Session& session);
// look.cc
Outcome RunGet(Session& session);
Outcome RunList(Session& session);
Outcome RunSummary(Session& session);
// stop.cc
Outcome RunCancel(Session& session);
Outcome RunBlock(Session& session);
Outcome RunUnblock(Session& session);
Outcome RunBlocked(Session& session);
// watch.cc
Outcome RunWatch(Session& session);
// import.cc
Outcome RunImport(Session& session);
// import_flowable.cc
Outcome RunImportFlowable(Session& session);
// import_accounts.cc
Outcome ImportAccounts(Session& session, const std::string& dsn);
// journal.cc
Outcome RunJournal(Session& session);
Outcome RunWhy(Session& session);
// audit.cc
Outcome RunReplay(Session& session);
Outcome RunVerify(Session& session);
Outcome RunStats(Session& session);
// operate.cc
Outcome RunResolve(Session& session);
Outcome RunPause(Session& session);
Outcome RunResume(Session& session);
Outcome RunDrain(Session& session);
// accounts.cc
Outcome RunAccount(Session& session);
Outcome RunClient(Session& session);
Outcome RunRole(Session& session);
// doctor.cc
Outcome RunDoctor(Session& session);

// Without a server. keys.cc
Outcome RunKeygen(const Arguments& arguments, const Terminal& terminal);
Outcome RunSeal(const Arguments& arguments, const Terminal& terminal);
Outcome RunUnseal(const Arguments& arguments, const Terminal& terminal);
Outcome RunJwks(const Arguments& arguments, const Terminal& terminal);
// graph.cc
Outcome RunGraph(const Arguments& arguments, const Terminal& terminal);
// db.cc
Outcome RunDb(const Arguments& arguments, const Terminal& terminal);
// dead_letter.cc
Outcome RunDeadLetter(const Arguments& arguments, const Terminal& terminal);
// completion.cc
Outcome RunCompletion(const Arguments& arguments, const Terminal& terminal);

}  // namespace smsflow::cli
