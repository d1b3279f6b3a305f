#include "tools/flowable/old_database.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace smsflow::flowable {
namespace {

const std::vector<const char*>& TablesOf(OldPart part) {
  static const std::vector<const char*> smses = {"act_ru_execution", "act_ru_variable", "act_ge_bytearray",
                                                 "act_ru_job",       "act_hi_procinst", "act_hi_varinst"};
  static const std::vector<const char*> accounts = {"act_id_user", "act_id_group", "act_id_membership"};
  return part == OldPart::kSmses ? smses : accounts;
}

#define SMSFLOW_LIVE_SMSES                                                                        \
  "FROM act_ru_execution WHERE parent_id_ IS NULL AND id_ = proc_inst_id_ AND proc_def_id_ LIKE " \
  "'smsSchedulerProcess:%'"
constexpr char kCount[] = "SELECT count(*)::text " SMSFLOW_LIVE_SMSES;
constexpr char kSmses[] = "SELECT id_::text " SMSFLOW_LIVE_SMSES " ORDER BY id_";
#undef SMSFLOW_LIVE_SMSES

// The bytes of what is no SMS are not read: one row would take more memory than all others.
constexpr char kVariables[] =
    "SELECT v.proc_inst_id_::text, v.name_::text, v.type_::text, v.text_::text, v.long_::text, "
    "CASE WHEN octet_length(b.bytes_) <= 65536 THEN b.bytes_ END, (octet_length(b.bytes_) > 65536)::text "
    "FROM act_ru_variable v LEFT JOIN act_ge_bytearray b ON b.id_ = v.bytearray_id_ "
    "WHERE v.proc_inst_id_ = ANY ($1::text[]) AND v.name_ IN ('clientId', 'batchId', 'clientKey', 'targetId', "
    "'schedule', "
    "'payload', 'userId', 'smsStatus', 'smsRetries')";
constexpr char kPlaces[] =
    "SELECT proc_inst_id_::text, act_id_::text FROM act_ru_execution "
    "WHERE proc_inst_id_ = ANY ($1::text[]) AND parent_id_ IS NOT NULL AND act_id_ IS NOT NULL";
// A lock has an owner and an end; either says that an executor has the job in its hands.
constexpr char kJobs[] =
    "SELECT DISTINCT process_instance_id_::text FROM act_ru_job j WHERE process_instance_id_ = ANY ($1::text[]) "
    "AND (to_jsonb(j) ->> 'lock_owner_' IS NOT NULL OR to_jsonb(j) ->> 'lock_exp_time_' IS NOT NULL)";
constexpr char kBlocks[] =
    "SELECT DISTINCT c.text_::text, t.text_::text FROM act_hi_procinst p "
    "LEFT JOIN act_hi_varinst c ON c.proc_inst_id_ = p.proc_inst_id_ AND c.name_ = 'clientId' "
    "LEFT JOIN act_hi_varinst t ON t.proc_inst_id_ = p.proc_inst_id_ AND t.name_ = 'targetId' "
    "WHERE p.proc_def_id_ LIKE 'blockTargetProcess:%' AND p.end_time_ IS NOT NULL ORDER BY 1, 2";
constexpr char kClients[] = "SELECT id_::text FROM act_id_group WHERE type_ = 'CLIENT' ORDER BY id_";
constexpr char kAccounts[] = "SELECT id_::text, first_::text, email_::text, pwd_::text FROM act_id_user ORDER BY id_";
constexpr char kGroups[] =
    "SELECT m.user_id_::text, g.type_::text, g.id_::text FROM act_id_membership m JOIN act_id_group g ON g.id_ = "
    "m.group_id_ "
    "WHERE m.user_id_ = ANY ($1::text[]) ORDER BY 1, 3";
// Whoever may be a scheduler: a client that does not say that it is something else. A pool of Java's says what it is,
// and is never nameless.
constexpr char kOthers[] =
    "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND usesysid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend' "
    "AND coalesce(application_name, '?') NOT IN ('', 'psql', 'pg_dump', 'smsflow import')";

absl::StatusOr<std::uint64_t> CountOf(const absl::StatusOr<Rows>& rows) {
  if (!rows.ok()) return rows.status();
  std::uint64_t count = 0;
  if (rows->size() != 1 || !absl::SimpleAtoi(rows->Text(0, 0), &count))
    return absl::InternalError("the database does not count");
  return count;
}

OldInstance* Find(std::vector<OldInstance>& smses, std::string_view id) {
  const auto at = std::lower_bound(smses.begin(), smses.end(), id,
                                   [](const OldInstance& sms, std::string_view other) { return sms.id < other; });
  return at != smses.end() && at->id == id ? &*at : nullptr;
}

}  // namespace

absl::StatusOr<OldDatabase> OldDatabase::Open(const std::string& dsn, OldPart part) {
  auto postgres = Postgres::Connect(dsn);
  if (!postgres.ok()) return postgres.status();
  OldDatabase database(*std::move(postgres));
  if (absl::Status status = database.Begin(part); !status.ok()) return status;
  return database;
}

absl::Status OldDatabase::Begin(OldPart part) {
  if (auto begun = postgres_.Query("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"); !begun.ok())
    return begun.status();
  for (const char* const table : TablesOf(part)) {
    const auto found = postgres_.Query("SELECT to_regclass($1)::text", {table});
    if (!found.ok()) return found.status();
    if (found->Text(0, 0).empty())
      return absl::FailedPreconditionError(
          absl::StrCat("the database has no table ", table,
                       "; is this the old scheduler's database? Where its tables are "
                       "in a schema of their own: options=-csearch_path=SCHEMA in --dsn"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::uint64_t> OldDatabase::OtherSessions() { return CountOf(postgres_.Query(kOthers)); }

absl::StatusOr<std::uint64_t> OldDatabase::CountSmses() { return CountOf(postgres_.Query(kCount)); }

absl::StatusOr<Rows> OldDatabase::Fetch(const char* cursor, const char* select, std::size_t most, bool& is_open) {
  if (!is_open) {
    auto declared = postgres_.Query(absl::StrCat("DECLARE ", cursor, " NO SCROLL CURSOR FOR ", select));
    if (!declared.ok()) return declared;
    is_open = true;
  }
  return postgres_.Query(absl::StrCat("FETCH ", most, " FROM ", cursor));
}

absl::StatusOr<std::vector<OldInstance>> OldDatabase::NextSmses(std::size_t most) {
  const auto rows = Fetch("smses", kSmses, most, reads_smses_);
  if (!rows.ok()) return rows.status();
  std::vector<OldInstance> smses(rows->size());
  std::vector<std::string> names;
  for (std::size_t i = 0; i < smses.size(); ++i) names.push_back(smses[i].id = rows->Text(i, 0));
  if (smses.empty()) return smses;
  // The database sorts as its locale does; Find() sorts bytes.
  std::sort(smses.begin(), smses.end(), [](const OldInstance& a, const OldInstance& b) { return a.id < b.id; });
  const std::string ids = ArrayText(names);
  for (const auto add : {&OldDatabase::AddVariables, &OldDatabase::AddPlaces, &OldDatabase::AddJobs})
    if (absl::Status status = (this->*add)(ids, smses); !status.ok()) return status;
  return smses;
}

absl::Status OldDatabase::AddVariables(const std::string& ids, std::vector<OldInstance>& smses) {
  const auto rows = postgres_.Query(kVariables, {ids});
  if (!rows.ok()) return rows.status();
  for (std::size_t i = 0; i < rows->size(); ++i) {
    OldInstance* const sms = Find(smses, rows->Text(i, 0));
    if (sms == nullptr) continue;
    Variable variable;
    variable.type = rows->Text(i, 2);
    if (const auto text = rows->at(i, 3)) variable.text = std::string(*text);
    if (std::int64_t number = 0; absl::SimpleAtoi(rows->Text(i, 4), &number)) variable.number = number;
    if (const auto bytes = rows->at(i, 5)) variable.bytes = std::string(*bytes);
    variable.is_too_long = rows->Text(i, 6) == "true";
    sms->variables[rows->Text(i, 1)].push_back(std::move(variable));
  }
  return absl::OkStatus();
}

absl::Status OldDatabase::AddPlaces(const std::string& ids, std::vector<OldInstance>& smses) {
  const auto rows = postgres_.Query(kPlaces, {ids});
  if (!rows.ok()) return rows.status();
  for (std::size_t i = 0; i < rows->size(); ++i)
    if (OldInstance* const sms = Find(smses, rows->Text(i, 0)); sms != nullptr) sms->places.insert(rows->Text(i, 1));
  return absl::OkStatus();
}

absl::Status OldDatabase::AddJobs(const std::string& ids, std::vector<OldInstance>& smses) {
  const auto rows = postgres_.Query(kJobs, {ids});
  if (!rows.ok()) return rows.status();
  for (std::size_t i = 0; i < rows->size(); ++i)
    if (OldInstance* const sms = Find(smses, rows->Text(i, 0)); sms != nullptr) sms->being_fired = true;
  return absl::OkStatus();
}

absl::StatusOr<std::vector<OldBlock>> OldDatabase::NextBlocks(std::size_t most) {
  const auto rows = Fetch("blocks", kBlocks, most, reads_blocks_);
  if (!rows.ok()) return rows.status();
  std::vector<OldBlock> blocks;
  for (std::size_t i = 0; i < rows->size(); ++i) blocks.push_back({rows->Text(i, 0), rows->Text(i, 1)});
  return blocks;
}

absl::StatusOr<std::vector<std::string>> OldDatabase::NextClients(std::size_t most) {
  const auto rows = Fetch("clients", kClients, most, reads_clients_);
  if (!rows.ok()) return rows.status();
  std::vector<std::string> clients;
  for (std::size_t i = 0; i < rows->size(); ++i) clients.push_back(rows->Text(i, 0));
  return clients;
}

absl::StatusOr<std::vector<OldAccount>> OldDatabase::NextAccounts(std::size_t most) {
  const auto rows = Fetch("accounts", kAccounts, most, reads_accounts_);
  if (!rows.ok()) return rows.status();
  std::vector<OldAccount> accounts;
  std::vector<std::string> ids;
  for (std::size_t i = 0; i < rows->size(); ++i) {
    accounts.push_back({rows->Text(i, 0),
                        rows->Text(i, 1),
                        rows->Text(i, 2),
                        crypto::Secret(rows->at(i, 3).value_or("")),
                        {},
                        {},
                        {}});
    ids.push_back(accounts.back().id);
  }
  const auto groups = postgres_.Query(kGroups, {ArrayText(ids)});
  if (!groups.ok()) return groups.status();
  for (std::size_t i = 0; i < groups->size(); ++i) {
    const auto account = std::find_if(accounts.begin(), accounts.end(),
                                      [id = groups->Text(i, 0)](const OldAccount& other) { return other.id == id; });
    if (account == accounts.end()) continue;
    const std::string type = groups->Text(i, 1);
    (type == "ROLE"     ? account->roles
     : type == "CLIENT" ? account->clients
                        : account->other_groups)
        .push_back(groups->Text(i, 2));
  }
  return accounts;
}

}  // namespace smsflow::flowable
