// `smsflow db`: looks into a data folder that no process has open, and mends a copy of it. Changes nothing in it.
#include "tools/cli/db.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/inspect.h"
#include "smsflow/v1/admin.pb.h"
#include "storage/data_folder.h"
#include "storage/repair.h"
#include "tools/cli/failure.h"
#include "tools/cli/json_text.h"
#include "tools/cli/progress.h"
#include "tools/cli/states.h"
#include "tools/cli/table.h"
#include "tools/cli/verbs.h"

namespace smsflow::cli {
namespace {

namespace v1 = smsflow::v1;

absl::StatusOr<std::unique_ptr<storage::DataFolder>> OpenFolder(const Arguments& arguments) {
  storage::DataFolderOptions options;
  options.path = arguments.data;
  options.index_key_path = arguments.index_key;
  options.read_only = true;
  return storage::DataFolder::Open(options);
}

// In the form of Admin.Verify: a script reads both alike.
class Findings {
 public:
  Findings(const Arguments& arguments, const Terminal& terminal) : json_(arguments.json), terminal_(terminal) {}

  void Show(const std::string& text) {
    ++count_;
    if (!json_) {
      terminal_.out << Visible(text) << "\n";
      return;
    }
    v1::VerifyResponse response;
    response.set_violations(count_);
    response.add_findings(text);
    terminal_.out << ToJson(response) << "\n";
  }
  int End(const engine::InspectionSummary& summary) const {
    if (json_) {
      v1::VerifyResponse response;
      response.set_records(summary.records);
      response.set_instances(summary.instances);
      response.set_violations(count_);
      response.set_done(true);
      terminal_.out << ToJson(response) << "\n";
    } else {
      terminal_.out << summary.records << " records and " << summary.instances << " SMSes checked, " << count_
                    << " violations\n";
    }
    return count_ == 0 ? kExitOk : kExitNegative;
  }

 private:
  const bool json_;
  const Terminal& terminal_;
  std::uint64_t count_ = 0;
};

// Reads everything once.
absl::StatusOr<engine::InspectionSummary> InspectFolder(storage::DataFolder& folder, const char* doing,
                                                        const engine::Inspector::OnFinding& finding,
                                                        const Terminal& terminal) {
  engine::Inspector inspector(folder.store(), folder.index_keys(), folder.shards());
  Progress progress(terminal, doing, 0);
  const auto status = inspector.Run(
      [&](const std::string& text) {
        progress.Clear();
        finding(text);
      },
      [&](const engine::InspectionSummary& so_far) {
        progress.Show(so_far.records + so_far.instances);
        return !terminal.interrupted();
      });
  progress.Clear();
  if (!status.ok()) return absl::AbortedError(absl::StrCat(doing, ": interrupted before the end"));
  return inspector.summary();
}

Outcome Verify(const Arguments& arguments, const Terminal& terminal) {
  Findings findings(arguments, terminal);
  const auto folder = OpenFolder(arguments);
  // What makes smsflowd refuse a folder because data is missing or bad, is a finding like any other.
  if (absl::IsDataLoss(folder.status())) {
    findings.Show(std::string(folder.status().message()));
    return findings.End({});
  }
  if (!folder.ok()) return folder.status();
  const auto summary = InspectFolder(
      **folder, "db verify", [&](const std::string& text) { findings.Show(text); }, terminal);
  if (!summary.ok()) return summary.status();
  return findings.End(*summary);
}

const char* Means(storage::RepairedBy by) {
  switch (by) {
    case storage::RepairedBy::kNothing:
      return "it opens as it is; nothing was mended";
    case storage::RepairedBy::kCuttingTheLog:
      return "its log was cut where it is damaged";
    case storage::RepairedBy::kNamingTheList:
      return "the name of its list of tables was damaged, and is written anew";
    default:
      return "its list of tables is damaged, so all rows of its tables and its log were put into new ones";
  }
}

// Of what stands in the damaged folder and is not in the copy; empty: nothing.
std::string LeftOut(const std::vector<std::string>& folders, const std::string& data) {
  if (folders.empty()) return {};
  return absl::StrCat("Not looked at and not copied, because they are no part of it: ",
                      Visible(absl::StrJoin(folders, ", ")), " in ", Visible(data),
                      ". The loopback gateway keeps its store there: put it into the new folder as well. Where that is"
                      " damaged too, do without it, and what that gateway had in flight becomes UNKNOWN\n");
}

// Works on a copy, and leaves it only when nothing that was acknowledged is missing from it.
Outcome Repair(const Arguments& arguments, const Terminal& terminal) {
  if (arguments.out.empty()) return absl::InvalidArgumentError("db repair: --to must name the folder for the copy");
  storage::DataFolderOptions from;
  from.path = arguments.data;
  from.index_key_path = arguments.index_key;
  from.now_ms = terminal.now_ms();
  Findings findings(arguments, terminal);
  auto repaired = storage::RepairCopy(from, arguments.out);
  if (absl::IsDataLoss(repaired.status())) {
    findings.Show(std::string(repaired.status().message()));
    terminal.err << "no copy was left: only one made since the engine last ended can take its place\n";
    return findings.End({});
  }
  if (!repaired.ok()) return repaired.status();
  const auto summary = InspectFolder(
      *repaired->folder, "db repair", [&](const std::string& text) { findings.Show(text); }, terminal);
  const storage::RepairedBy by = repaired->by;
  const std::string dropped = repaired->dropped;
  const std::string left_out = LeftOut(repaired->left_out, arguments.data);
  const bool has_last_row = repaired->has_last_row || by == storage::RepairedBy::kNothing;
  if (!summary.ok() || summary->violations != 0) {
    storage::DropCopy(*std::move(repaired));
  } else if (auto status = storage::KeepCopy(*std::move(repaired), arguments.out); !status.ok()) {
    return status;
  }
  if (!summary.ok()) return summary.status();
  if (summary->violations != 0) {
    terminal.err
        << "no copy was left, for rows are missing: only one made since the engine last ended can take its place\n";
  } else {
    terminal.err << Visible(arguments.out) << " is whole: " << Means(by)
                 << (dropped.empty() ? "" : absl::StrCat(" (", dropped, ")")) << ". All that was acknowledged up to the"
                 << " high-water mark is there"
                 << (has_last_row ? "" : ", but whether each block, pause and account is as it was, nobody can tell")
                 << ".\nPut it in the place of " << Visible(arguments.data)
                 << ", beside the same index key, and keep the old one until the new one has run.\nIt may lack the last"
                 << " moments before the end, so nothing new leaves from it until smsflow resume --all: what to look at"
                 << " before, docs/operations.md says (A repaired folder)\n"
                 << left_out;
  }
  return findings.End(*summary);
}

v1::StatsResponse Figures(storage::DataFolder& folder, const engine::InspectionSummary& summary) {
  v1::StatsResponse response;
  const auto add = [&](const std::string& name, std::uint64_t value, const std::string& help) {
    auto* item = response.add_items();
    item->set_name(name);
    item->set_value(static_cast<double>(value));
    item->set_help(help);
  };
  add("shards", summary.shards, "of the folder");
  add("instances", summary.instances, "SMSes that are stored");
  for (const auto& [state, count] : summary.states)
    add(absl::StrCat("instances_", std::string(StateName(static_cast<v1::SmsState>(state)))), count, "in this state");
  add("ended", summary.ended, "over for their users");
  add("records", summary.records, "journal records");
  add("records_erased", summary.erased_records, "of them without body, after retention");
  add("anchors", summary.anchors, "left by segments of the journal that are gone");
  add("timers", summary.live_timers, "that instances wait for");
  add("timer_rows", summary.timer_rows, "in the index, from the marks on");
  add("ready_rows", summary.ready_rows, "due, waiting for credit or for a pause to end");
  add("open_leases", summary.open_leases, "handed to gateways, without a result");
  add("index_rows", summary.index_rows, "that lists find SMSes by");
  add("dedupe_rows", summary.dedupe_rows, "idempotency keys");
  add("memberships", summary.memberships, "blocked targets");
  add("pauses", summary.pauses, "rows, one for each shard");
  add("tells", summary.tells, "events between shards, not yet applied or not yet deleted");
  add("feeds", summary.feeds, "how far each shard has come in the logs it reads");
  add("accounts", summary.accounts, "that may log in");
  add("clients", summary.clients, "tenants that accounts are members of");
  add("account_changes", summary.account_changes, "to both, that still stand");
  add("sweeps", summary.sweeps, "commands over many SMSes, not yet at their end");
  add("violations", summary.violations, "see smsflow db verify");
  for (const auto& [name, value] : folder.Figures()) add("rocksdb_" + name, value, "");
  return response;
}

Outcome Stats(const Arguments& arguments, const Terminal& terminal) {
  const auto folder = OpenFolder(arguments);
  if (!folder.ok()) return folder.status();
  const auto summary = InspectFolder(
      **folder, "db stats", [](const std::string&) {}, terminal);
  if (!summary.ok()) return summary.status();
  const v1::StatsResponse response = Figures(**folder, *summary);
  if (arguments.json) {
    terminal.out << ToJson(response) << "\n";
    return kExitOk;
  }
  Table table({"FIGURE", "VALUE", "MEANING"});
  for (const auto& item : response.items())
    table.Add({item.name(), NumberText(item.value()), Cell(item.help(), Color::kDim)});
  const bool for_people = terminal.out_is_terminal && !arguments.plain;
  terminal.out << (for_people ? table.ForPeople(terminal) : table.ForScripts());
  return kExitOk;
}

Outcome Dump(const Arguments& arguments, const Terminal& terminal) {
  const auto folder = OpenFolder(arguments);
  if (!folder.ok()) return folder.status();
  const auto status = DumpRows((*folder)->store(), {arguments.kind, arguments.names}, terminal);
  if (!status.ok()) return status;
  return kExitOk;
}

}  // namespace

Outcome RunDb(const Arguments& arguments, const Terminal& terminal) {
  if (arguments.subject == "verify") return Verify(arguments, terminal);
  if (arguments.subject == "repair") return Repair(arguments, terminal);
  if (arguments.subject == "stats") return Stats(arguments, terminal);
  return Dump(arguments, terminal);
}

}  // namespace smsflow::cli
