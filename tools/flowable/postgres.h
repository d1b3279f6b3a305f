// One connection to a PostgreSQL database, for reading.
//
// Owns its connection; used from one thread; every call blocks on the database. Errors name what was asked and what the
// database said, in one line, and never the connection string: a password may stand in it.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

struct pg_conn;
struct pg_result;

namespace smsflow::flowable {

// Rows of an answer. Views live as long as it does.
class Rows {
 public:
  explicit Rows(pg_result* result);
  std::size_t size() const;
  // nullopt: NULL. As the server sends it in binary: a text as it is, a bytea as it is; cast all else to text.
  std::optional<std::string_view> at(std::size_t row, int column) const;
  std::string Text(std::size_t row, int column) const;  // empty for NULL

 private:
  struct Clear {
    void operator()(pg_result* result) const;
  };
  std::unique_ptr<pg_result, Clear> result_;
};

class Postgres {
 public:
  // `dsn`: `host=… dbname=… user=…`, a URI, or the name of a database; what it leaves out comes from PGHOST, PGUSER and
  // their like, as for psql. Plaintext goes to unix sockets and loopback addresses alone. InvalidArgument: the text is
  // no connection string; PermissionDenied: the login was refused, or there is no TLS; Unavailable: all else.
  [[nodiscard]] static absl::StatusOr<Postgres> Connect(const std::string& dsn);

  // FailedPrecondition when a table or column is not there, PermissionDenied when it must not be read.
  [[nodiscard]] absl::StatusOr<Rows> Query(const std::string& sql, const std::vector<std::string>& parameters = {});

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  explicit Postgres(pg_conn* connection) : connection_(connection) {}
  std::unique_ptr<pg_conn, Finish> connection_;
};

// Whether plaintext may go there: a unix socket's folder, localhost, or a loopback address.
bool IsLocalHost(std::string_view host);

// A list as PostgreSQL writes a text[].
std::string ArrayText(const std::vector<std::string>& items);

}  // namespace smsflow::flowable
