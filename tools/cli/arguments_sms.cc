#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>

#include "tools/cli/arguments_parts.h"

namespace smsflow::cli {
namespace {

constexpr char kSlots[] =
    "Slots, `;` between: FROM/TILL (2026-11-21T10:00Z/2026-11-21T18:00Z, a zone in brackets is fine), SECONDS-SECONDS, "
    "or +S1[+S2]: from now + S1, for S2 (600 s; s m h d)";

void AddSlots(CLI::App& app, Arguments& arguments) {
  app.add_option("--at,--schedule", arguments.schedule, kSlots)->type_name("SLOTS");
}

void AddPayload(CLI::App& app, Arguments& arguments) {
  auto& seal = arguments.seal;
  app.add_option("--payload-file", arguments.payload_file, "What the gateway gets, sealed already; - for stdin")
      ->type_name("FILE");
  app.add_option("--to", seal.to, "Seal here: the number, +255…")->type_name("NUMBER");
  app.add_option("--sender", seal.sender, "Seal here: the sender's name or number");
  app.add_option("--priority", seal.priority, "Seal here: code, transactional or bulk; what leaves a gateway first");
  app.add_option("--text", seal.text, "Seal here: the text");
  app.add_option("--text-file", seal.text_file, "Seal here: the text from a file; - for stdin")->type_name("FILE");
  app.add_option("--pubkey", seal.pubkey, "Seal here: the gateway's public key, PEM or JWK")->type_name("FILE");
  app.add_option("--key-id", arguments.key_id, "Which gateway key it is sealed for; read from the envelope otherwise");
}

void AddFilter(CLI::App& app, Arguments& arguments) {
  auto& filter = arguments.filter;
  auto* const batch = app.add_option("--batch", filter.batch, "Only of this batch");
  auto* const key = app.add_option("--key", filter.key, "Only with this key")->excludes(batch);
  app.add_option("--target", filter.target, "Only to this target")->excludes(batch)->excludes(key);
  app.add_option("--state", filter.states, "Only in these states: PENDING, DELIVERED …")->delimiter(',');
  app.add_option("--since", filter.since, "Created from then on: 2h (ago), 2026-11-21, 2026-11-21T09:00Z");
  app.add_option("--until", filter.until, "Created before then");
}

void AddScheduling(CLI::App& app, Arguments& arguments) {
  CLI::App& schedule = AddVerb(app, arguments, Verb::kSchedule, kGroupSms, "schedule", "Schedule one SMS");
  AddSlots(schedule, arguments);
  schedule.add_option("--batch", arguments.batch, "A name for many, to list, watch and cancel by");
  schedule.add_option("--key", arguments.key, "Your own name of this SMS");
  schedule.add_option("--target", arguments.target, "A stand-in for who gets it, to block and cancel by");
  schedule.add_option(
      "--idempotency-key", arguments.idempotency_key,
      "Sent again with the same one, it is scheduled once: for the same target, with the same batch, key "
      "and slots; --at +… means other slots each time");
  AddPayload(schedule, arguments);

  CLI::App& reschedule = AddVerb(app, arguments, Verb::kReschedule, kGroupSms, "reschedule",
                                 "Other slots, another payload, or both, while it is PENDING");
  reschedule.add_option("id", arguments.subject, "The SMS")->required();
  AddSlots(reschedule, arguments);
  AddPayload(reschedule, arguments);
}

void AddImport(CLI::App& app, Arguments& arguments) {
  CLI::App& import =
      AddVerb(app, arguments, Verb::kImport, kGroupSms, "import",
              "Schedule the rows of a CSV file, or what the old system still has; run again, it doubles none");
  import
      .add_option(
          "file", arguments.subject,
          "Columns: key, target, batch, at, to, sender, text or payload or payload_file, key_id, idempotency_key; "
          "- for stdin; or the word flowable: the old system's database")
      ->required();
  import.add_flag("--dry-run", arguments.dry_run, "Only say what would be done");
  AddSlots(import, arguments);
  import.add_option("--batch", arguments.batch, "Batch of rows that name none");
  import.add_option("--sender", arguments.seal.sender, "Sender of rows that name none");
  import.add_option("--priority", arguments.seal.priority, "Of all rows: code, transactional or bulk");
  import.add_option("--pubkey", arguments.seal.pubkey, "The gateway's public key, PEM or JWK")->type_name("FILE");
  import.add_option("--key-id", arguments.key_id,
                    "Which gateway key rows were sealed for that do not say so themselves");
  import.add_option("--name", arguments.import_name,
                    "Of this import: rows that are alike are others under another name");
  import.add_option("--rejects", arguments.rejects, "Rows that were refused, with the reason, to mend and import")
      ->type_name("FILE");
  import
      .add_option("--dsn", arguments.dsn,
                  "flowable: the database, host=… dbname=… user=… or postgresql://…; SMSFLOW_DSN is the better place")
      ->type_name("TEXT");
  import.add_option("--report", arguments.report, "flowable: what became of each, old id and new, as CSV")
      ->type_name("FILE");
  import.add_flag("--accounts", arguments.accounts, "flowable: who may log in, with an admin token; not the SMSes");
  import.add_flag("--take-locked", arguments.take_locked,
                  "flowable: also what was about to be sent when the old one ended");
  import.add_flag("--although-connected", arguments.although_connected,
                  "flowable: although others are connected to its database; never while the old scheduler is");
}

void AddLooking(CLI::App& app, Arguments& arguments) {
  AddVerb(app, arguments, Verb::kGet, kGroupSms, "get", "One SMS: state, times, attempts")
      .add_option("id", arguments.subject, "The SMS")
      ->required();

  CLI::App& list = AddVerb(app, arguments, Verb::kList, kGroupSms, "list", "Many SMSes, oldest first");
  AddFilter(list, arguments);
  list.add_option("--limit", arguments.limit, "At most so many")->capture_default_str()->check(CLI::Range(1, 1000000));
  list.add_flag("--all", arguments.all, "All there are, page by page");
  list.add_option("--page", arguments.page, "Go on where a list ended")->type_name("TOKEN");
  list.add_flag("--csv", arguments.csv, "For a spreadsheet");

  CLI::App& watch = AddVerb(app, arguments, Verb::kWatch, kGroupSms, "watch", "Every transition as it happens");
  AddFilter(watch, arguments);
  watch.add_option("--resume", arguments.resume, "Go on where a list or a watch ended")->type_name("TOKEN");
  watch.add_flag("--all", arguments.all, "Also what changed no state");
  auto* const live = watch.add_flag("--live", arguments.live,
                                    "A table of states and SMSes that redraws itself; ends when all have ended");
  watch.add_option("--expect", arguments.expect, "With --live: end only when so many have ended")
      ->type_name("COUNT")
      ->needs(live);
  watch.add_option("--for", arguments.for_time, "End after so long: 30s, 5m")->type_name("TIME");

  AddVerb(app, arguments, Verb::kSummary, kGroupSms, "summary", "How many of a batch are in which state")
      .add_option("batch", arguments.subject, "The batch")
      ->required();
}

void AddStopping(CLI::App& app, Arguments& arguments) {
  CLI::App& cancel =
      AddVerb(app, arguments, Verb::kCancel, kGroupSms, "cancel", "Nothing more of it leaves: one or many");
  cancel.add_option("id", arguments.subject, "One SMS");
  cancel.add_option("--key", arguments.key, "All with this key");
  cancel.add_option("--batch", arguments.batch, "All of this batch");
  cancel.add_option("--target", arguments.target, "All to this target");
  cancel.add_flag("--all", arguments.all, "Everything of the tenant; asks first");
  cancel.add_flag("--yes", arguments.yes, "Do not ask");

  AddVerb(app, arguments, Verb::kBlock, kGroupSms, "block", "Nothing leaves for this target any more")
      .add_option("target", arguments.subject, "The target")
      ->required();
  AddVerb(app, arguments, Verb::kUnblock, kGroupSms, "unblock", "The target may get SMSes again")
      .add_option("target", arguments.subject, "The target")
      ->required();
  CLI::App& blocked = AddVerb(app, arguments, Verb::kBlocked, kGroupSms, "blocked", "The blocked targets");
  blocked.add_option("--page", arguments.page, "Go on where a list ended")->type_name("TOKEN");
  blocked.add_option("--limit", arguments.limit, "At most so many")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000000));
  blocked.add_flag("--all", arguments.all, "All there are, page by page");
}

}  // namespace

void AddSmsVerbs(CLI::App& app, Arguments& arguments) {
  AddScheduling(app, arguments);
  AddImport(app, arguments);
  AddLooking(app, arguments);
  AddStopping(app, arguments);
}

}  // namespace smsflow::cli
