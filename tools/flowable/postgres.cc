#include "tools/flowable/postgres.h"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace smsflow::flowable {
namespace {

constexpr int kBinary = 1;
constexpr char kForm[] =
    "--dsn: must be a PostgreSQL connection string: host=… dbname=… user=…, postgresql://USER@HOST/DATABASE, or the "
    "name "
    "of a database (also SMSFLOW_DSN)";

// What libpq says takes several lines.
std::string OneLine(const char* message) {
  std::string text = message == nullptr ? "" : message;
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  std::replace_if(
      text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text;
}

// libpq's own complaint repeats the piece that it does not understand, which may be half of a password.
bool IsConnectionString(const std::string& dsn) {
  if (dsn.empty()) return false;
  if (dsn.find('=') == std::string::npos && dsn.find("://") == std::string::npos) return true;  // a database's name
  char* error = nullptr;
  PQconninfoOption* const options = PQconninfoParse(dsn.c_str(), &error);
  const bool good = options != nullptr;
  PQconninfoFree(options);
  PQfreemem(error);
  return good;
}

absl::Status WhyNoConnection(const PGconn* connection) {
  const std::string said = OneLine(PQerrorMessage(connection));
  const auto says = [&](const char* words) { return said.find(words) != std::string::npos; };
  const bool login = says("authentication failed") || says("no password supplied") || says("pg_hba.conf");
  return {login ? absl::StatusCode::kPermissionDenied : absl::StatusCode::kUnavailable,
          absl::StrCat("--dsn: no connection to the database: ", said)};
}

absl::StatusCode CodeOf(std::string_view sqlstate) {
  if (sqlstate == "42P01" || sqlstate == "42703" || sqlstate == "3F000") return absl::StatusCode::kFailedPrecondition;
  if (sqlstate == "42501") return absl::StatusCode::kPermissionDenied;
  return absl::StatusCode::kUnavailable;
}

}  // namespace

Rows::Rows(pg_result* result) : result_(result) {}
void Rows::Clear::operator()(pg_result* result) const { PQclear(result); }
void Postgres::Finish::operator()(pg_conn* connection) const { PQfinish(connection); }

std::size_t Rows::size() const { return static_cast<std::size_t>(PQntuples(result_.get())); }

std::optional<std::string_view> Rows::at(std::size_t row, int column) const {
  const int at = static_cast<int>(row);
  if (PQgetisnull(result_.get(), at, column) != 0) return std::nullopt;
  return std::string_view(PQgetvalue(result_.get(), at, column),
                          static_cast<std::size_t>(PQgetlength(result_.get(), at, column)));
}

std::string Rows::Text(std::size_t row, int column) const { return std::string(at(row, column).value_or("")); }

absl::StatusOr<Postgres> Postgres::Connect(const std::string& dsn) {
  if (!IsConnectionString(dsn)) return absl::InvalidArgumentError(kForm);
  // What stands behind `dbname` overrules the connection string, what stands before it gives way.
  const std::array<const char*, 5> names = {"connect_timeout", "dbname", "application_name", "client_encoding",
                                            nullptr};
  const std::array<const char*, 5> values = {"10", dsn.c_str(), "smsflow import", "UTF8", nullptr};
  Postgres postgres(PQconnectdbParams(names.data(), values.data(), /*expand_dbname=*/1));
  PGconn* const connection = postgres.connection_.get();
  if (PQstatus(connection) != CONNECTION_OK) return WhyNoConnection(connection);
  PQsetNoticeProcessor(
      connection, [](void*, const char*) {}, nullptr);  // or it would write onto the progress bar
  if (PQsslInUse(connection) == 0 && !IsLocalHost(PQhost(connection)))
    return absl::PermissionDeniedError(
        "--dsn: the way to the database is not encrypted; add sslmode=require, or run on the database's own machine");
  return postgres;
}

absl::StatusOr<Rows> Postgres::Query(const std::string& sql, const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  PGresult* const result = PQexecParams(connection_.get(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                                        values.data(), nullptr, nullptr, kBinary);
  Rows rows(result);
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) return rows;
  const char* const sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* const said = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  return absl::Status(CodeOf(sqlstate == nullptr ? "" : sqlstate),
                      absl::StrCat("the database does not answer as it should: ",
                                   OneLine(said == nullptr ? PQerrorMessage(connection_.get()) : said)));
}

bool IsLocalHost(std::string_view host) {
  if (host.empty() || host.front() == '/' || host.front() == '@' || host == "localhost" || host == "::1") return true;
  return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
}

std::string ArrayText(const std::vector<std::string>& items) {
  std::string text = "{";
  for (const std::string& item : items) {
    if (text.size() > 1) text += ',';
    text += '"';
    for (const char c : item) {
      if (c == '"' || c == '\\') text += '\\';
      text += c;
    }
    text += '"';
  }
  return text + "}";
}

}  // namespace smsflow::flowable
