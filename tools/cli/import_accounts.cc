// `smsflow import flowable --accounts`: who may log in, out of the old system's database. It keeps passwords in clear
// text, so they come over and are hashed here.
//
// What is there already stays as it is: whoever changed something here since is right.
#include <array>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "crypto/secret.h"
#include "tools/cli/bulk.h"
#include "tools/cli/failure.h"
#include "tools/cli/files.h"
#include "tools/cli/json_text.h"
#include "tools/cli/progress.h"
#include "tools/cli/table.h"
#include "tools/cli/verbs.h"
#include "tools/flowable/old_database.h"

namespace smsflow::cli {
namespace {

namespace v1 = smsflow::v1;
using flowable::OldAccount;

constexpr std::size_t kAtOnce = 250, kPasswordBytesMax = 256;
// What the old system begins with; everybody knows it.
constexpr char kFirstAccount[] = "admin", kFirstPassword[] = "test";

enum Count : std::size_t { kClients, kClientsAlready, kAccounts, kAlready, kNoPassword, kRefused, kCounts };
constexpr std::array<const char*, kCounts> kNames = {"clients", "clients_already",  "accounts",
                                                     "already", "without_password", "refused"};

class MoveAccounts {
 public:
  explicit MoveAccounts(Session& session) : session_(session), dry_(session.arguments.dry_run) {}

  Outcome Run(const std::string& dsn) {
    auto database = flowable::OldDatabase::Open(dsn, flowable::OldPart::kAccounts);
    if (!database.ok()) return database.status();
    if (!session_.arguments.report.empty()) {
      auto file = OpenOwnFile(session_.arguments.report);
      if (!file.ok()) return file.status();
      report_ = *std::move(file);
      *report_ << CsvLine({"kind", "name", "outcome", "roles", "clients", "reason"});
    }
    progress_.emplace(session_.terminal, dry_ ? "check" : "import", 0);
    absl::Status status = TakeClients(*database);
    if (status.ok()) status = TakeAccounts(*database);
    if (status.ok() && report_ && !report_->flush())
      status = absl::InvalidArgumentError(absl::StrCat(session_.arguments.report, ": cannot be written"));
    Report();
    if (!status.ok() && !dry_)
      return absl::Status(status.code(), absl::StrCat(status.message(), "; run the same import again: it goes on"));
    if (!status.ok()) return status;
    return counts_[kRefused] == 0 ? kExitOk : kExitNegative;
  }

 private:
  absl::Status TakeClients(flowable::OldDatabase& database) {
    for (;;) {
      const auto clients = database.NextClients(kAtOnce);
      if (!clients.ok()) return clients.status();
      if (clients->empty()) return absl::OkStatus();
      for (const std::string& client : *clients) {
        v1::CreateClientRequest request;
        request.set_client(client);
        const absl::Status status = Make(&IamStub::CreateClient, request);
        if (absl::Status fatal = Tell("client", client, nullptr, status, kClients, kClientsAlready, ""); !fatal.ok())
          return fatal;
      }
    }
  }

  absl::Status TakeAccounts(flowable::OldDatabase& database) {
    for (;;) {
      auto accounts = database.NextAccounts(kAtOnce);
      if (!accounts.ok()) return accounts.status();
      if (accounts->empty()) return absl::OkStatus();
      for (const OldAccount& account : *accounts)
        if (absl::Status fatal = Take(account); !fatal.ok()) return fatal;
      progress_->Show(counts_[kAccounts] + counts_[kAlready] + counts_[kRefused]);
    }
  }

  absl::Status Take(const OldAccount& account) {
    v1::CreateAccountRequest request;
    request.set_account(account.id);
    request.set_name(account.name);
    request.set_email(account.email);
    for (const std::string& role : account.roles) request.add_roles(role);
    for (const std::string& client : account.clients) request.add_clients(client);
    const bool is_known_to_all = account.id == kFirstAccount && account.password.Equals(kFirstPassword);
    const bool is_too_long = account.password.size() > kPasswordBytesMax;
    std::string note = is_known_to_all            ? "its password is the one that everybody knows: it has none here"
                       : is_too_long              ? "its password is longer than 256 bytes: it has none here"
                       : account.password.empty() ? "it had no password, and has none here"
                                                  : "";
    if (note.empty()) request.set_password(std::string(account.password.Reveal()));
    if (!account.other_groups.empty())
      absl::StrAppend(&note, note.empty() ? "" : "; ", account.other_groups.size(),
                      " of its groups neither ROLE nor CLIENT");
    const absl::Status status = Make(&IamStub::CreateAccount, request);
    crypto::WipeString(*request.mutable_password());
    const bool has_none = is_known_to_all || is_too_long || account.password.empty();
    if (status.ok() && has_none) ++counts_[kNoPassword];
    return Tell("account", account.id, &account, status, kAccounts, kAlready, note);
  }

  template <typename Request, typename Response>
  absl::Status Make(UnaryCall<IamStub, Request, Response> call, const Request& request) {
    if (session_.terminal.interrupted()) return absl::AbortedError("import: interrupted");
    if (dry_) return absl::OkStatus();
    return AskPatiently(session_.terminal, session_.connection, call, request).status();
  }

  // An error of this one alone is told; one of all comes back.
  absl::Status Tell(const char* kind, const std::string& name, const OldAccount* account, const absl::Status& status,
                    Count made, Count already, const std::string& note) {
    const bool is_known = status.code() == absl::StatusCode::kAlreadyExists;
    const bool is_refused =
        status.code() == absl::StatusCode::kInvalidArgument || status.code() == absl::StatusCode::kNotFound;
    if (!status.ok() && !is_known && !is_refused) return status;
    ++counts_[is_refused ? kRefused : is_known ? already : made];
    const std::string why = is_refused ? std::string(status.message()) : is_known ? "" : note;
    const char* const outcome = is_refused ? "refused" : is_known ? "already" : dry_ ? "would_make" : "made";
    if (report_)
      *report_ << CsvLine({kind, name, outcome, account == nullptr ? "" : absl::StrJoin(account->roles, " "),
                           account == nullptr ? "" : absl::StrJoin(account->clients, " "), why});
    if (report_ || why.empty()) return absl::OkStatus();
    progress_->Clear();
    session_.terminal.err << "smsflow: " << kind << " " << Visible(name) << ": " << outcome << ": " << why << "\n";
    return absl::OkStatus();
  }

  void Report() {
    progress_->Clear();
    const Terminal& terminal = session_.terminal;
    if (session_.arguments.json) {
      terminal.out << "{\"dry_run\":" << (dry_ ? "true" : "false");
      for (std::size_t i = 0; i < kCounts; ++i) terminal.out << "," << JsonText(kNames[i]) << ":" << counts_[i];
      terminal.out << "}\n";
    } else if (session_.ForPeople()) {
      terminal.out << counts_[kAccounts] << (dry_ ? " accounts would be made, " : " accounts made, ")
                   << counts_[kNoPassword] << " of them without a password; " << counts_[kAlready] << " were there\n"
                   << counts_[kClients] << (dry_ ? " clients would be made, " : " clients made, ")
                   << counts_[kClientsAlready] << " were there; " << counts_[kRefused] << " refused\n";
    } else {
      for (std::size_t i = 0; i < kCounts; ++i) terminal.out << kNames[i] << "\t" << counts_[i] << "\n";
    }
  }

  Session& session_;
  const bool dry_;
  std::optional<Progress> progress_;
  std::optional<std::ofstream> report_;
  std::array<std::uint64_t, kCounts> counts_{};
};

}  // namespace

Outcome ImportAccounts(Session& session, const std::string& dsn) { return MoveAccounts(session).Run(dsn); }

}  // namespace smsflow::cli
