// `smsflow import FILE.csv`: every row to the server, and at the end what became of them. `smsflow import flowable` is
// in import_flowable.cc.
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tools/cli/bulk.h"
#include "tools/cli/failure.h"
#include "tools/cli/files.h"
#include "tools/cli/import_rows.h"
#include "tools/cli/progress.h"
#include "tools/cli/request_check.h"
#include "tools/cli/verbs.h"

namespace smsflow::cli {
namespace {

namespace v1 = smsflow::v1;

class Importer {
 public:
  Importer(Session& session, std::istream& in, const std::filesystem::path& folder, std::uint64_t bytes)
      : session_(session),
        rows_(session, in, folder),
        bytes_(bytes),
        progress_(session.terminal, session.arguments.dry_run ? "check" : "import", bytes),
        bulk_(session.terminal, [this](const BulkItem& item, BulkOutcome outcome, const v1::ScheduleResponse& answer,
                                       const std::string& why) { Settled(item, outcome, answer, why); }) {}

  Outcome Import() {
    if (absl::Status status = rows_.ReadTitles(); !status.ok()) return status;
    if (absl::Status status = OpenRejects(); !status.ok()) return status;
    while (!session_.terminal.interrupted()) {
      auto row = rows_.Next();
      if (!row.ok()) return Broken(row.status());
      if (!*row) return Ended();
      ++read_;
      if (absl::Status status = Take(**std::move(row)); !status.ok()) return Stopped(status);
      progress_.Show(bytes_ == 0 ? read_ : rows_.bytes());
    }
    return Stopped(absl::AbortedError("import: interrupted"));
  }

 private:
  absl::Status Take(ImportRow row) {
    if (!row.item.ok() && row.item.status().code() == absl::StatusCode::kResourceExhausted) return row.item.status();
    if (!row.item.ok()) {
      Refuse(row.line, row.cells, std::string(row.item.status().message()));
      return absl::OkStatus();
    }
    if (session_.arguments.dry_run) return ++scheduled_, absl::OkStatus();
    if (rejects_) row.item->origin = std::move(row.cells);
    return bulk_.Add(session_.connection, *std::move(row.item));
  }

  void Settled(const BulkItem& item, BulkOutcome outcome, const v1::ScheduleResponse& answer, const std::string& why) {
    if (outcome == BulkOutcome::kRefused) return Refuse(item.number, item.origin, why);
    if (outcome == BulkOutcome::kAlready) return void(++already_);
    ++scheduled_;
    expired_ += answer.state() == v1::EXPIRED;
    blocked_ += answer.state() == v1::BLOCKED;
  }

  void Refuse(std::uint64_t line, const std::vector<std::string>& cells, const std::string& said) {
    const std::string why = SlotsAsTyped(said, "at");
    ++failed_;
    progress_.Clear();
    session_.terminal.err << "smsflow: line " << line << ": " << why << "\n";
    if (!rejects_) return;
    std::vector<std::string> reject = {absl::StrCat("line ", line, ": ", why)};
    reject.insert(reject.end(), cells.begin() + (skips_first_ && !cells.empty()), cells.end());
    *rejects_ << CsvRow(reject, rows_.separator());
  }

  // Numbers and texts stand in it, so it is the owner's alone.
  absl::Status OpenRejects() {
    const std::string& path = session_.arguments.rejects;
    if (path.empty()) return absl::OkStatus();
    std::error_code error;
    if (session_.arguments.subject != "-" && std::filesystem::equivalent(path, session_.arguments.subject, error))
      return absl::InvalidArgumentError("--rejects: is the file that is imported; choose another name");
    auto file = OpenOwnFile(path);
    if (!file.ok()) return file.status();
    rejects_ = *std::move(file);
    std::vector<std::string> titles = {kRefusedBecause};
    // What was refused before, and mended, brings the column along.
    skips_first_ = rows_.titles().front() == kRefusedBecause;
    titles.insert(titles.end(), rows_.titles().begin() + skips_first_, rows_.titles().end());
    *rejects_ << CsvRow(titles, rows_.separator());
    return absl::OkStatus();
  }

  Outcome Ended() {
    if (absl::Status status = bulk_.Flush(); !status.ok()) return Stopped(status);
    if (rejects_ && !rejects_->flush())
      return Stopped(absl::InvalidArgumentError(absl::StrCat(session_.arguments.rejects, ": cannot be written")));
    Report();
    return failed_ == 0 ? kExitOk : kExitNegative;
  }

  // The file is broken from here on. What stands before it is good, and is not left half done.
  absl::Status Broken(const absl::Status& why) {
    if (absl::Status status = bulk_.Flush(); !status.ok()) return Stopped(status);
    return Stopped(why);
  }

  absl::Status Stopped(const absl::Status& status) {
    if (rejects_) rejects_->flush();
    Report();
    if (session_.arguments.dry_run) return status;
    return {status.code(), absl::StrCat(status.message(), "; run the same import again: it goes on, and doubles none")};
  }

  void Report() {
    progress_.Clear();
    const Terminal& terminal = session_.terminal;
    const bool dry = session_.arguments.dry_run;
    if (session_.arguments.json) {
      terminal.out << "{\"rows\":" << read_ << (dry ? ",\"would_schedule\":" : ",\"scheduled\":") << scheduled_;
      if (!dry) terminal.out << ",\"already\":" << already_;
      terminal.out << ",\"failed\":" << failed_;
      if (!dry) terminal.out << ",\"expired\":" << expired_ << ",\"blocked\":" << blocked_;
      terminal.out << "}\n";
    } else if (session_.ForPeople()) {
      terminal.out << read_ << " rows: ";
      if (dry)
        terminal.out << scheduled_ << " can be scheduled, " << failed_ << " cannot; nothing was sent\n";
      else
        terminal.out << scheduled_ << " scheduled, " << already_ << " had been before, " << failed_ << " failed\n";
      if (expired_ + blocked_ > 0)
        terminal.out << "of those scheduled, " << expired_ << " had no slot left and " << blocked_
                     << " were for a blocked target: they have ended\n";
    } else {
      terminal.out << "rows\t" << read_ << (dry ? "\nwould_schedule\t" : "\nscheduled\t") << scheduled_;
      if (!dry) terminal.out << "\nalready\t" << already_;
      terminal.out << "\nfailed\t" << failed_;
      if (!dry) terminal.out << "\nexpired\t" << expired_ << "\nblocked\t" << blocked_;
      terminal.out << "\n";
    }
  }

  Session& session_;
  ImportRows rows_;
  const std::uint64_t bytes_;  // 0: unknown
  Progress progress_;
  BulkSchedule bulk_;
  std::optional<std::ofstream> rejects_;
  bool skips_first_ = false;
  std::uint64_t read_ = 0, scheduled_ = 0, already_ = 0, failed_ = 0, expired_ = 0, blocked_ = 0;
};

absl::Status CheckFlags(const Arguments& arguments) {
  const auto only_for_flowable = [](const char* flag) {
    return absl::InvalidArgumentError(absl::StrCat(flag, ": goes with `smsflow import flowable` alone"));
  };
  if (!arguments.dsn.empty()) return only_for_flowable("--dsn");
  if (arguments.accounts) return only_for_flowable("--accounts");
  if (arguments.take_locked) return only_for_flowable("--take-locked");
  if (arguments.although_connected) return only_for_flowable("--although-connected");
  if (!arguments.report.empty()) return only_for_flowable("--report");
  return absl::OkStatus();
}

}  // namespace

Outcome RunImport(Session& session) {
  const std::string& path = session.arguments.subject;
  if (path == "flowable") return RunImportFlowable(session);
  if (absl::Status status = CheckFlags(session.arguments); !status.ok()) return status;
  if (path == "-") return Importer(session, session.terminal.in, ".", 0).Import();
  std::ifstream in(path, std::ios::binary);
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (!in || error) return absl::InvalidArgumentError(absl::StrCat(path, ": cannot be read as a file"));
  return Importer(session, in, std::filesystem::path(path).parent_path(), bytes).Import();
}

}  // namespace smsflow::cli
