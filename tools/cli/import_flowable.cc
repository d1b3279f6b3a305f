// `smsflow import flowable`: what the old system still has to send, out of its database. Read docs/migrating.md first.
//
// Blocks go before SMSes, so that nothing leaves for a blocked target. Each SMS carries an idempotency key made of its
// old id, so that what was taken over before is known already.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tools/cli/bulk.h"
#include "tools/cli/failure.h"
#include "tools/cli/files.h"
#include "tools/cli/json_text.h"
#include "tools/cli/progress.h"
#include "tools/cli/request_check.h"
#include "tools/cli/sms_text.h"
#include "tools/cli/states.h"
#include "tools/cli/table.h"
#include "tools/cli/verbs.h"
#include "tools/flowable/judge.h"
#include "tools/flowable/old_database.h"

namespace smsflow::cli {
namespace {

namespace v1 = smsflow::v1;
using flowable::OldSms;
using flowable::Standing;

constexpr std::size_t kAtOnce = 250;
constexpr std::uint64_t kShownMost = 100;

// In the order in which they are shown.
enum Count : std::size_t {
  kFound,
  kTaken,
  kAlready,
  kExpired,
  kBlocked,
  kInFlight,
  kPast,
  kUnreadable,
  kRefused,
  kOthers,
  kBlocks,
  kBlocksRefused,
  kCounts
};
constexpr std::array<const char*, kCounts> kNames = {"smses",   "scheduled",     "already", "expired",
                                                     "blocked", "in_flight",     "past",    "unreadable",
                                                     "refused", "other_tenants", "blocks",  "blocks_refused"};

// Where to send what is of one old client.
struct Tenant {
  std::unique_ptr<Connection> connection;
  std::string refused;  // why nothing can be sent for it
};

class Move {
 public:
  explicit Move(Session& session)
      : session_(session),
        dry_(session.arguments.dry_run),
        bulk_(session.terminal, [this](const BulkItem& item, BulkOutcome outcome, const v1::ScheduleResponse& answer,
                                       const std::string& why) { Settled(item, outcome, answer, why); }) {}

  Outcome Run(const std::string& dsn) {
    auto database = flowable::OldDatabase::Open(dsn, flowable::OldPart::kSmses);
    if (!database.ok()) return database.status();
    if (absl::Status status = CheckAlone(*database); !status.ok()) return status;
    const auto total = database->CountSmses();
    if (!total.ok()) return total.status();
    if (absl::Status status = OpenReport(); !status.ok()) return status;
    progress_.emplace(session_.terminal, dry_ ? "check" : "import", *total);
    absl::Status status = TakeBlocks(*database);
    if (status.ok()) status = TakeSmses(*database);
    if (status.ok()) status = bulk_.Flush();
    if (status.ok() && report_ && !report_->flush())
      status = absl::InvalidArgumentError(absl::StrCat(session_.arguments.report, ": cannot be written"));
    Report();
    if (!status.ok() && !dry_)
      return absl::Status(status.code(),
                          absl::StrCat(status.message(), "; run the same import again: it goes on, and doubles none"));
    if (!status.ok()) return status;
    return counts_[kRefused] + counts_[kUnreadable] + counts_[kBlocksRefused] == 0 ? kExitOk : kExitNegative;
  }

 private:
  // What the old scheduler sends after it was read here is sent twice.
  absl::Status CheckAlone(flowable::OldDatabase& database) {
    const auto others = database.OtherSessions();
    if (!others.ok()) return others.status();
    if (*others == 0 || session_.arguments.although_connected) return absl::OkStatus();
    const std::string found =
        absl::StrCat(*others, " other session", *others == 1 ? " is" : "s are", " connected to the database");
    if (!dry_)
      return absl::FailedPreconditionError(
          absl::StrCat("import: ", found,
                       "; stop the old scheduler first, or it sends what is sent here too "
                       "(--although-connected if it is none of them)"));
    session_.terminal.err << "smsflow: note: " << found << "; the import itself wants the old scheduler stopped\n";
    return absl::OkStatus();
  }

  absl::Status OpenReport() {
    if (session_.arguments.report.empty()) return absl::OkStatus();
    auto file = OpenOwnFile(session_.arguments.report);
    if (!file.ok()) return file.status();
    report_ = *std::move(file);
    *report_ << CsvLine(
        {"old_id", "tenant", "batch", "key", "target", "outcome", "id", "state", "retries", "user", "reason"});
    return absl::OkStatus();
  }

  // The way for that client; one whose credential is missing is known as refused from then on.
  absl::StatusOr<Tenant*> TenantOf(const std::string& name) {
    const auto [at, is_new] = tenants_.try_emplace(name);
    Tenant& tenant = at->second;
    if (!is_new || dry_) return &tenant;
    // Goes into the head of a call, where there is no place for other letters.
    if (!std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7F; })) {
      tenant.refused = "clientId: is no tenant that a credential could be for";
      return &tenant;
    }
    tenant.connection = session_.connection.ForTenant(name);
    v1::ListBlockedRequest request;
    request.set_page_size(1);
    const auto answer = AskPatiently(session_.terminal, *tenant.connection, &SchedulerStub::ListBlocked, request);
    const absl::StatusCode code = answer.status().code();
    if (code == absl::StatusCode::kPermissionDenied || code == absl::StatusCode::kInvalidArgument)
      tenant.refused = std::string(answer.status().message());
    else if (!answer.ok())
      return answer.status();
    return &tenant;
  }

  bool IsOfOthers(const std::string& tenant) const {
    return !session_.arguments.tenant.empty() && tenant != session_.arguments.tenant;
  }

  absl::Status TakeBlocks(flowable::OldDatabase& database) {
    for (;;) {
      const auto blocks = database.NextBlocks(kAtOnce);
      if (!blocks.ok()) return blocks.status();
      if (blocks->empty()) return absl::OkStatus();
      for (const flowable::OldBlock& block : *blocks) {
        if (session_.terminal.interrupted()) return absl::AbortedError("import: interrupted");
        if (IsOfOthers(block.tenant)) continue;
        if (absl::Status status = Take(block); !status.ok()) return status;
      }
    }
  }

  absl::Status Take(const flowable::OldBlock& block) {
    const auto refuse = [&](const std::string& why) {
      ++counts_[kBlocksRefused];
      Show(absl::StrCat("a block of ", block.tenant.empty() ? "nobody" : Visible(block.tenant)), "refused", why);
      Write({"", block.tenant, "", "", block.target, "block_refused", "", "", "", "", why});
      return absl::OkStatus();
    };
    if (block.tenant.empty() || block.target.empty()) return refuse("clientId, targetId: cannot be read");
    if (!IsPrintable(block.target)) return refuse("targetId: must be printable UTF-8");
    const auto tenant = TenantOf(block.tenant);
    if (!tenant.ok()) return tenant.status();
    if (!(*tenant)->refused.empty()) return refuse((*tenant)->refused);
    if (!dry_) {
      v1::BlockRequest request;
      request.set_target(block.target);
      const auto answer = AskPatiently(session_.terminal, *(*tenant)->connection, &SchedulerStub::Block, request);
      if (answer.status().code() == absl::StatusCode::kInvalidArgument)
        return refuse(std::string(answer.status().message()));
      if (!answer.ok()) return answer.status();
    }
    ++counts_[kBlocks];
    Write({"", block.tenant, "", "", block.target, "block", "", "", "", "", ""});
    return absl::OkStatus();
  }

  absl::Status TakeSmses(flowable::OldDatabase& database) {
    for (;;) {
      const auto smses = database.NextSmses(kAtOnce);
      if (!smses.ok()) return smses.status();
      if (smses->empty()) return absl::OkStatus();
      for (const flowable::OldInstance& instance : *smses) {
        if (session_.terminal.interrupted()) return absl::AbortedError("import: interrupted");
        const auto now_s = session_.terminal.now_ms() / 1000;
        if (absl::Status status = Take(Judge(instance, now_s, session_.arguments.take_locked)); !status.ok())
          return status;
      }
      progress_->Show(counts_[kFound]);
    }
  }

  absl::Status Take(OldSms sms) {
    ++counts_[kFound];
    if (!sms.tenant.empty() && IsOfOthers(sms.tenant)) return ++counts_[kOthers], absl::OkStatus();
    if (sms.standing != Standing::kPending) {
      const auto count = sms.standing == Standing::kInFlight ? kInFlight
                         : sms.standing == Standing::kPast   ? kPast
                                                             : kUnreadable;
      return Leave(sms, count, std::string(StandingName(sms.standing)), sms.reason);
    }
    const auto tenant = TenantOf(sms.tenant);
    if (!tenant.ok()) return tenant.status();
    if (!(*tenant)->refused.empty()) return Leave(sms, kRefused, "refused", (*tenant)->refused);
    BulkItem item;
    item.origin = OriginOf(sms);
    item.key_is_identity = true;
    item.request.set_batch(std::move(sms.batch));
    item.request.set_key(std::move(sms.key));
    item.request.set_target(std::move(sms.target));
    item.request.set_schedule(std::move(sms.schedule));
    item.request.set_payload(std::move(sms.payload));
    item.request.set_idempotency_key("flowable-" + sms.id);
    if (!dry_) return bulk_.Add(*(*tenant)->connection, std::move(item));
    const absl::Status status = CheckLikeTheServer(item.request, nullptr);
    Settled(item, status.ok() ? BulkOutcome::kScheduled : BulkOutcome::kRefused, {}, std::string(status.message()));
    return absl::OkStatus();
  }

  absl::Status Leave(const OldSms& sms, Count count, const std::string& outcome, const std::string& why) {
    ++counts_[count];
    Tell(OriginOf(sms), outcome, "", "", why);
    return absl::OkStatus();
  }

  static std::vector<std::string> OriginOf(const OldSms& sms) {
    return {sms.id, sms.tenant, sms.batch, sms.key, sms.target, std::to_string(sms.retries), sms.user};
  }

  void Settled(const BulkItem& item, BulkOutcome outcome, const v1::ScheduleResponse& answer, const std::string& why) {
    const std::string id = answer.id().empty() ? "" : IdText(answer.id());
    const std::string state = answer.id().empty() ? "" : std::string(StateName(answer.state()));
    switch (outcome) {
      case BulkOutcome::kScheduled:
        ++counts_[answer.state() == v1::EXPIRED ? kExpired : answer.state() == v1::BLOCKED ? kBlocked : kTaken];
        return Tell(item.origin, dry_ ? "would_schedule" : "scheduled", id, state, "");
      case BulkOutcome::kAlready:
        ++counts_[kAlready];
        return Tell(item.origin, "already", id, state, "");
      case BulkOutcome::kRefused:
        ++counts_[kRefused];
        return Tell(item.origin, "refused", id, state, why);
    }
  }

  void Tell(const std::vector<std::string>& origin, const std::string& outcome, const std::string& id,
            const std::string& state, const std::string& why) {
    if (!why.empty()) Show(Visible(origin[0]), outcome, why);
    Write({origin[0], origin[1], origin[2], origin[3], origin[4], outcome, id, state, origin[5], origin[6], why});
  }

  void Write(const std::vector<std::string>& cells) {
    if (report_) *report_ << CsvLine(cells);
  }

  // What is not taken over, when there is no file to say it in.
  void Show(const std::string& what, const std::string& outcome, const std::string& why) {
    if (report_) return;
    progress_->Clear();
    if (++shown_ <= kShownMost)
      session_.terminal.err << "smsflow: " << what << ": " << outcome << ": " << why << "\n";
    else if (shown_ == kShownMost + 1)
      session_.terminal.err << "smsflow: … there are more; --report FILE names them all\n";
  }

  void Report() {
    progress_->Clear();
    const Terminal& terminal = session_.terminal;
    const auto name = [this](std::size_t i) { return i == kTaken && dry_ ? "would_schedule" : kNames[i]; };
    if (session_.arguments.json) {
      terminal.out << "{\"dry_run\":" << (dry_ ? "true" : "false");
      for (std::size_t i = 0; i < kCounts; ++i) terminal.out << "," << JsonText(name(i)) << ":" << counts_[i];
      terminal.out << "}\n";
    } else if (session_.ForPeople()) {
      terminal.out << counts_[kFound] << " SMSes live in the old system: " << counts_[kTaken]
                   << (dry_ ? " would be scheduled" : " scheduled") << ", " << counts_[kAlready] << " had been before, "
                   << counts_[kExpired] + counts_[kBlocked] << " ended on arrival\n"
                   << "left behind: " << counts_[kInFlight] << " in flight, " << counts_[kPast] << " past, "
                   << counts_[kUnreadable] << " unreadable, " << counts_[kRefused] << " refused, " << counts_[kOthers]
                   << " of other tenants\n"
                   << "blocks: " << counts_[kBlocks] << (dry_ ? " would be set" : " set") << ", "
                   << counts_[kBlocksRefused] << " refused\n";
    } else {
      for (std::size_t i = 0; i < kCounts; ++i) terminal.out << name(i) << "\t" << counts_[i] << "\n";
    }
  }

  Session& session_;
  const bool dry_;
  std::map<std::string, Tenant> tenants_;
  BulkSchedule bulk_;
  std::optional<Progress> progress_;
  std::optional<std::ofstream> report_;
  std::array<std::uint64_t, kCounts> counts_{};
  std::uint64_t shown_ = 0;
};

}  // namespace

Outcome RunImportFlowable(Session& session) {
  const Arguments& arguments = session.arguments;
  const std::array<std::pair<const char*, bool>, 8> only_for_files = {{{"--at", !arguments.schedule.empty()},
                                                                       {"--batch", !arguments.batch.empty()},
                                                                       {"--sender", !arguments.seal.sender.empty()},
                                                                       {"--priority", !arguments.seal.priority.empty()},
                                                                       {"--pubkey", !arguments.seal.pubkey.empty()},
                                                                       {"--key-id", !arguments.key_id.empty()},
                                                                       {"--name", !arguments.import_name.empty()},
                                                                       {"--rejects", !arguments.rejects.empty()}}};
  for (const auto& [flag, is_given] : only_for_files)
    if (is_given)
      return absl::InvalidArgumentError(
          absl::StrCat(flag, ": goes with a file alone; `import flowable` takes each SMS over as it is"));
  const char* const environment = std::getenv("SMSFLOW_DSN");  // NOLINT(concurrency-mt-unsafe): nobody sets it
  const std::string dsn = arguments.dsn.empty() && environment != nullptr ? environment : arguments.dsn;
  if (!arguments.accounts) return Move(session).Run(dsn);
  if (arguments.take_locked || arguments.although_connected)
    return absl::InvalidArgumentError("--take-locked, --although-connected: are for SMSes, and not for --accounts");
  return ImportAccounts(session, dsn);
}

}  // namespace smsflow::cli
