#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "kafka/checkup.h"
#include "tools/cli/connection.h"
#include "tools/cli/failure.h"
#include "tools/cli/files.h"
#include "tools/cli/json_text.h"
#include "tools/cli/time_text.h"
#include "tools/cli/verbs.h"

namespace smsflow::cli {
namespace {

namespace v1 = smsflow::v1;

class Findings {
 public:
  explicit Findings(const Session& session) : session_(session) {}

  void Good(std::string_view what, std::string_view detail) { Add("ok", Color::kGreen, what, detail); }
  void Note(std::string_view what, std::string_view detail) { Add("note", Color::kYellow, what, detail); }
  void Bad(std::string_view what, const absl::Status& status) {
    if (exit_code_ == kExitOk) exit_code_ = ExitCodeOf(status);
    Add("FAIL", Color::kRed, what, std::string(status.message()));
  }
  int exit_code() const { return exit_code_; }

 private:
  void Add(std::string_view mark, Color color, std::string_view what, std::string_view detail) {
    const Terminal& terminal = session_.terminal;
    if (session_.arguments.json) {
      terminal.out << "{\"check\":" << JsonText(what) << ",\"result\":" << JsonText(mark)
                   << ",\"detail\":" << JsonText(detail) << "}\n";
    } else if (session_.ForPeople()) {
      std::string padded_mark(mark), padded_what(what);
      padded_mark.resize(6, ' ');
      padded_what.resize(std::max<std::size_t>(20, padded_what.size() + 1), ' ');
      terminal.out << Painted(terminal, color, padded_mark) << padded_what << detail << "\n";
    } else {
      terminal.out << mark << '\t' << what << '\t' << detail << "\n";
    }
  }

  const Session& session_;
  int exit_code_ = kExitOk;
};

void CheckSettings(Session& session, Findings& findings) {
  const auto& connection = session.arguments.connection;
  const bool plaintext = connection.ca.empty() && IsLocal(connection.address);
  findings.Good("address", absl::StrCat(connection.address, plaintext ? ", plaintext (this machine only)" : ", TLS"));
  if (connection.token.empty())
    findings.Note("token", "none is set; a server lets nobody in without one: SMSFLOW_TOKEN");
  else
    findings.Good("token", "is set");
  if (session.arguments.tenant.empty())
    findings.Note("tenant",
                  "none is set; needed to seal here, and where the credential is for several: SMSFLOW_TENANT");
  else
    findings.Good("tenant", session.arguments.tenant);
}

// The topics have the names that the configuration gives them where it says nothing else.
void CheckKafka(Session& session, Findings& findings) {
  constexpr std::chrono::seconds kListen(5);  // gateways say who they are every three
  spdlog::set_level(spdlog::level::off);      // what librdkafka would tell stands in the findings
  kafka::ClientOptions options{.name = "smsflow-doctor", .servers = session.arguments.kafka, .properties = {}};
  if (!session.arguments.kafka_properties.empty()) {
    const auto text = ReadWholeFile(session.arguments.kafka_properties);
    const auto status = text.ok() ? kafka::AddProperties(*text, options.properties) : text.status();
    if (!status.ok()) return findings.Bad("kafka", status);
  }
  std::vector<std::string> topics;
  for (const auto topic : {kafka::kScheduleTopic, kafka::kStatusTopic, kafka::kTimerTopic, kafka::kSendTopic,
                           kafka::kEventsTopic, kafka::kDeadLetterTopic}) {
    topics.emplace_back(topic);
  }
  if (session.arguments.make_topics > 0) {
    const auto made = kafka::MakeTopics(options, topics, session.arguments.make_topics);
    if (!made.ok()) return findings.Bad("topics", kafka::InWords(made, options));
  }
  const kafka::OptionalTopics optional = {
      {std::string(kafka::kInboundTopic), "SMSes from phones, where a gateway takes them"}};
  for (const kafka::Finding& found :
       kafka::CheckUp(options, topics, optional, topics[1], kListen, session.terminal.now_ms)) {
    if (found.verdict == kafka::Verdict::kGood) findings.Good(found.what, found.detail);
    if (found.verdict == kafka::Verdict::kNote) findings.Note(found.what, found.detail);
    if (found.verdict == kafka::Verdict::kBad) findings.Bad(found.what, absl::Status(found.code, found.detail));
  }
}

}  // namespace

Outcome RunDoctor(Session& session) {
  Findings findings(session);
  CheckSettings(session, findings);
  if (!session.arguments.kafka.empty()) CheckKafka(session, findings);
  const std::int64_t before_ms = session.terminal.now_ms();
  v1::ListBlockedRequest client_request;
  client_request.set_page_size(1);
  const absl::Status client = session.connection.Ask("scheduler", &SchedulerStub::ListBlocked, client_request).status();
  const std::int64_t took_ms = session.terminal.now_ms() - before_ms;
  const int code = ExitCodeOf(client);
  if (code == kExitUnreachable || client.code() == absl::StatusCode::kUnauthenticated) {
    findings.Bad(code == kExitUnreachable ? "server" : "token", client);
    return findings.exit_code();
  }
  findings.Good("server", absl::StrCat("answered within ", Span(took_ms < 1 ? 1 : took_ms)));
  const auto stats = session.connection.Ask("admin", &AdminStub::Stats, v1::StatsRequest());
  const absl::Status& admin = stats.status();
  const bool some_tenants = IsForSomeTenantsOnly(admin);
  if (client.ok())
    findings.Good("client verbs", "allowed");
  else if ((admin.ok() || some_tenants) && code == kExitDenied)
    findings.Note("client verbs", "not for this token: it schedules nothing");
  else
    findings.Bad("client verbs", client);
  if (admin.ok())
    findings.Good("admin verbs", absl::StrCat("allowed; ", stats->items_size(), " figures in smsflow stats"));
  else if (some_tenants)
    findings.Good(
        "admin verbs",
        absl::StrCat(session.arguments.tenant.empty() ? "for its tenants" : "for tenant ", session.arguments.tenant,
                     ": allowed; stats, verify, drain and what else concerns all want an admin key without "
                     "`tenants`"));
  else if (ExitCodeOf(admin) == kExitDenied)
    findings.Note("admin verbs", std::string(admin.message()));
  else
    findings.Bad("admin verbs", admin);
  return findings.exit_code();
}

}  // namespace smsflow::cli
