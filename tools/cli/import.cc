#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "crypto/envelope.h"
#include "crypto/hash.h"
#include "crypto/keys.h"
#include "tools/cli/connection.h"
#include "tools/cli/csv_reader.h"
#include "tools/cli/failure.h"
#include "tools/cli/json_text.h"
#include "tools/cli/progress.h"
#include "tools/cli/sms_text.h"
#include "tools/cli/time_text.h"
#include "tools/cli/verbs.h"

namespace smsflow::cli {
namespace {

namespace v1 = smsflow::v1;

constexpr int kRowsAtOnce = 200;
constexpr int kTries = 6;
constexpr std::int64_t kFirstPauseMs = 500;
constexpr std::array<std::string_view, 10> kColumns = {"key", "target", "batch", "at",      "schedule",
                                                       "to",  "sender", "text",  "payload", "idempotency_key"};

struct Row {
  std::uint64_t line = 0;
  v1::ScheduleRequest request;
  bool own_idempotency_key = false;  // ours to judge: made here, of what the row says
};

// A row's identity, as a text that the server may see: it is made of what the server sees anyway, and never of number
// or text, which could be guessed from a digest. Rows that look alike are told apart by their order.
std::string IdempotencyKey(const v1::ScheduleRequest& request, const std::string& slots, std::uint64_t occurrence) {
  const auto part = [](const std::string& text) { return absl::StrCat(text.size(), ":", text); };
  const crypto::Digest16 digest = crypto::Cut(crypto::Sha256(
      part(request.batch()), part(request.key()), part(request.target()), part(slots), std::to_string(occurrence)));
  std::string hex;
  for (const std::uint8_t byte : digest) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return "import-" + hex;
}

class Importer {
 public:
  Importer(Session& session, std::istream& in, std::uint64_t bytes)
      : session_(session), csv_(in), in_(in), bytes_(bytes), progress_(session.terminal, "import", bytes) {}

  Outcome Import() {
    if (absl::Status status = ReadTitles(); !status.ok()) return status;
    std::vector<Row> rows;
    for (bool more = true; more && !session_.terminal.interrupted();) {
      auto row = ReadRow(more);
      if (!row.ok() && !more) return row.status();  // the file itself is broken: nothing after this can be trusted
      if (!row.ok())
        Fail(csv_.line(), std::string(row.status().message()));
      else if (*row)
        rows.push_back(**std::move(row));
      if (rows.size() == kRowsAtOnce || (!more && !rows.empty())) {
        if (absl::Status status = Send(rows); !status.ok()) return Stopped(status);
        rows.clear();
      }
    }
    if (session_.terminal.interrupted()) return Stopped(absl::AbortedError("import: interrupted"));
    Report();
    return failed_ == 0 ? kExitOk : kExitNegative;
  }

 private:
  absl::Status ReadTitles() {
    std::vector<std::string> titles;
    const auto read = csv_.Next(titles);
    if (!read.ok()) return read.status();
    if (!*read) return absl::InvalidArgumentError("import: the file is empty; its first line must name the columns");
    for (std::string& title : titles) {
      std::transform(title.begin(), title.end(), title.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c == '-' ? '_' : c;
      });
      if (std::find(kColumns.begin(), kColumns.end(), title) == kColumns.end())
        return absl::InvalidArgumentError(
            "line 1: names a column that import does not know; it knows key, target, batch, at, to, sender, text, "
            "payload "
            "and idempotency_key");
      const std::string name = title == "schedule" ? "at" : title;
      if (!columns_.emplace(name, columns_.size()).second)
        return absl::InvalidArgumentError(absl::StrCat("line 1: the column ", name, " stands there twice"));
    }
    const bool seals = columns_.count("to") > 0;
    if (seals == (columns_.count("payload") > 0))
      return absl::InvalidArgumentError(
          "line 1: needs the columns to and text (sealed here), or payload (sealed already)");
    if (!seals) return absl::OkStatus();
    auto key = ReadPublicKey(session_.arguments.seal.pubkey);
    if (!key.ok()) return key.status();
    key_ = *std::move(key);
    if (session_.arguments.tenant.empty())
      return absl::InvalidArgumentError("--tenant: say whose credential schedules them (or SMSFLOW_TENANT)");
    return absl::OkStatus();
  }

  // Sets `more` to false at the end, and when the file cannot be read on.
  absl::StatusOr<std::optional<Row>> ReadRow(bool& more) {
    std::vector<std::string> cells;
    const auto read = csv_.Next(cells);
    if (!read.ok() || !*read) more = false;
    if (!read.ok()) return read.status();
    if (!*read) return std::optional<Row>();
    ++rows_;
    if (cells.size() != columns_.size())
      return absl::InvalidArgumentError(absl::StrCat("has ", cells.size(), " cells, the first line ", columns_.size()));
    const auto cell = [&](const char* name, const std::string& otherwise = "") {
      const auto column = columns_.find(name);
      return column == columns_.end() || cells[column->second].empty() ? otherwise : cells[column->second];
    };
    return MakeRow(cell);
  }

  template <typename CellOf>
  absl::StatusOr<std::optional<Row>> MakeRow(const CellOf& cell) {
    const Arguments& arguments = session_.arguments;
    Row row;
    row.line = csv_.line();
    v1::ScheduleRequest& request = row.request;
    request.set_batch(cell("batch", arguments.batch));
    request.set_key(cell("key"));
    request.set_target(cell("target"));
    const std::string slots = cell("at", arguments.schedule);
    if (slots.empty()) return absl::InvalidArgumentError("at: is missing; give a column at, or --at for all rows");
    const auto expanded = ExpandSlots(slots, session_.terminal.now_ms());
    if (!expanded.ok()) return absl::InvalidArgumentError(absl::StrCat("at: ", expanded.status().message()));
    request.set_schedule(*expanded);
    request.set_idempotency_key(cell("idempotency_key"));
    if (request.idempotency_key().empty()) {
      if (request.key().empty() && request.target().empty())
        return absl::InvalidArgumentError(
            "key: is missing; a row needs key, target or idempotency_key, so that running the import again doubles "
            "none");
      const std::string alike = absl::StrCat(request.batch(), "\n", request.key(), "\n", request.target(), "\n", slots);
      request.set_idempotency_key(IdempotencyKey(request, slots, alike_[crypto::Cut(crypto::Sha256(alike))]++));
      row.own_idempotency_key = true;
    }
    if (!key_) {
      request.set_payload(cell("payload"));
      if (request.payload().empty()) return absl::InvalidArgumentError("payload: is empty");
      return std::optional<Row>(std::move(row));
    }
    const auto plain = PlainText(cell("to"), cell("sender", arguments.seal.sender), cell("text"));
    if (!plain.ok()) return plain.status();
    auto envelope = crypto::SealEnvelope(*key_, crypto::EnvelopeSubject(arguments.tenant, request.key()), *plain,
                                         session_.terminal.now_ms() / 1000);
    if (!envelope.ok()) return envelope.status();
    request.set_payload(*std::move(envelope));
    return std::optional<Row>(std::move(row));
  }

  // All rows, again and again while the server has no room or is away; then each is counted. An error stops the import.
  absl::Status Send(std::vector<Row> rows) {
    for (int attempt = 1; !rows.empty(); ++attempt) {
      v1::ScheduleBatchRequest request;
      for (const Row& row : rows) *request.add_items() = row.request;
      const auto response = session_.connection.Ask("import", &SchedulerStub::ScheduleBatch, request);
      const absl::Status& status = response.status();
      const bool busy = status.code() == absl::StatusCode::kUnavailable ||
                        status.code() == absl::StatusCode::kResourceExhausted ||
                        status.code() == absl::StatusCode::kDeadlineExceeded;
      if (!status.ok() && (!busy || attempt == kTries)) return status;
      if (status.ok()) {
        if (static_cast<std::size_t>(response->results_size()) != rows.size())
          return absl::InternalError("import: the server's answer has not as many results as rows were sent");
        rows = Count(std::move(rows), *response, /*last=*/attempt == kTries);
      }
      if (rows.empty()) break;
      session_.terminal.wait_ms(kFirstPauseMs << (attempt - 1));
      if (session_.terminal.interrupted()) return absl::AbortedError("import: interrupted");
    }
    const auto at = in_.tellg();
    progress_.Show(at < 0 ? bytes_ : static_cast<std::uint64_t>(at));
    return absl::OkStatus();
  }

  // The rows that the server had no room for.
  std::vector<Row> Count(std::vector<Row> rows, const v1::ScheduleBatchResponse& response, bool last) {
    std::vector<Row> again;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const v1::ScheduleResult& result = response.results(static_cast<int>(i));
      if (result.has_scheduled()) {
        ++(result.scheduled().duplicate() ? already_ : scheduled_);
        continue;
      }
      const auto code = static_cast<absl::StatusCode>(result.error().code());
      const bool busy = code == absl::StatusCode::kResourceExhausted || code == absl::StatusCode::kUnavailable;
      // The key says the same row; only slots that count from now can differ between two runs.
      if (code == absl::StatusCode::kAlreadyExists && rows[i].own_idempotency_key)
        ++already_;
      else if (busy && !last)
        again.push_back(std::move(rows[i]));
      else
        Fail(rows[i].line, ErrorText(result.error()));
    }
    return again;
  }

  static std::string ErrorText(const v1::ItemError& error) {
    std::string text;
    for (const v1::FieldViolation& violation : error.violations())
      absl::StrAppend(&text, text.empty() ? "" : "; ", violation.field(), ": ", violation.description());
    return Visible(text.empty() ? error.message() : text);
  }

  void Fail(std::uint64_t line, const std::string& why) {
    ++failed_;
    progress_.Clear();
    session_.terminal.err << "smsflow: line " << line << ": " << why << "\n";
  }

  absl::Status Stopped(const absl::Status& status) {
    Report();
    return {status.code(), absl::StrCat(status.message(), "; run the same import again: it goes on, and doubles none")};
  }

  void Report() {
    progress_.Clear();
    const Terminal& terminal = session_.terminal;
    if (session_.arguments.json)
      terminal.out << "{\"rows\":" << rows_ << ",\"scheduled\":" << scheduled_ << ",\"already\":" << already_
                   << ",\"failed\":" << failed_ << "}\n";
    else if (session_.ForPeople())
      terminal.out << rows_ << " rows: " << scheduled_ << " scheduled, " << already_ << " had been before, " << failed_
                   << " failed\n";
    else
      terminal.out << "rows\t" << rows_ << "\nscheduled\t" << scheduled_ << "\nalready\t" << already_ << "\nfailed\t"
                   << failed_ << "\n";
  }

  Session& session_;
  CsvReader csv_;
  std::istream& in_;
  const std::uint64_t bytes_;  // 0: unknown
  Progress progress_;
  std::map<std::string, std::size_t> columns_;
  std::map<crypto::Digest16, std::uint64_t> alike_;
  std::optional<crypto::PublicKey> key_;
  std::uint64_t rows_ = 0, scheduled_ = 0, already_ = 0, failed_ = 0;
};

}  // namespace

Outcome RunImport(Session& session) {
  const std::string& path = session.arguments.subject;
  if (path == "-") return Importer(session, session.terminal.in, 0).Import();
  std::ifstream in(path, std::ios::binary);
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  if (!in || error) return absl::InvalidArgumentError(absl::StrCat(path, ": cannot be read as a file"));
  return Importer(session, in, bytes).Import();
}

}  // namespace smsflow::cli
