#include "tools/cli/answer.h"
#include "tools/cli/failure.h"
#include "tools/cli/journal_text.h"
#include "tools/cli/verbs.h"

namespace smsflow::cli {

namespace v1 = smsflow::v1;

Outcome RunJournal(Session& session) {
  const auto request = AboutOneSms<v1::GetJournalRequest>(session);
  if (!request.ok()) return request.status();
  const auto journal = session.connection.Ask("journal", &AdminStub::GetJournal, *request);
  if (!journal.ok()) return journal.status();
  if (!PrintedAsJson(session, *journal))
    session.terminal.out << (session.ForPeople() ? JournalForPeople(*journal, session.terminal, session.arguments.all)
                                                 : JournalForScripts(*journal));
  return kExitOk;
}

Outcome RunWhy(Session& session) {
  const auto request = AboutOneSms<v1::ExplainRequest>(session);
  if (!request.ok()) return request.status();
  const auto explanation = session.connection.Ask("why", &AdminStub::Explain, *request);
  if (!explanation.ok()) return explanation.status();
  if (!PrintedAsJson(session, *explanation))
    session.terminal.out << (session.ForPeople() ? ExplanationForPeople(*explanation, session.terminal)
                                                 : ExplanationForScripts(*explanation));
  return kExitOk;
}

}  // namespace smsflow::cli
