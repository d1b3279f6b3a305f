#include "tools/cli/import_rows.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "crypto/envelope.h"
#include "crypto/hash.h"
#include "smpp/unicode.h"
#include "tools/cli/files.h"
#include "tools/cli/request_check.h"
#include "tools/cli/sms_text.h"
#include "tools/cli/time_text.h"
#include "workflows/delivery/zones.h"

namespace smsflow::cli {
namespace {

namespace v1 = smsflow::v1;
namespace delivery = smsflow::workflows::delivery;

constexpr std::size_t kPayloadBytesMax = 16 * 1024;
constexpr std::array<std::string_view, 14> kColumns = {
    "key",    "target", "batch",   "at",           "schedule",        "slots",  "to",
    "sender", "text",   "payload", "payload_file", "idempotency_key", "key_id", kRefusedBecause};

// A title as it is looked up: `Payload-File` is payload_file, and slots have three names.
std::string ColumnOf(std::string title) {
  std::transform(title.begin(), title.end(), title.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c == '-' || c == ' ' ? '_' : c;
  });
  if (std::find(kColumns.begin(), kColumns.end(), title) == kColumns.end()) return "";
  return title == "schedule" || title == "slots" ? "at" : title;
}

// A row's identity, as a text that the server may see: it is made of what the server sees anyway, and never of number
// or text, which could be guessed from a digest. Rows that look alike are told apart by their order.
std::string IdempotencyKey(const std::string& import, const v1::ScheduleRequest& request, const std::string& slots,
                           std::uint64_t occurrence) {
  const auto part = [](const std::string& text) { return absl::StrCat(text.size(), ":", text); };
  const crypto::Digest16 digest =
      crypto::Cut(crypto::Sha256(import.empty() ? "" : part("import " + import), part(request.batch()),
                                 part(request.key()), part(request.target()), part(slots), std::to_string(occurrence)));
  std::string hex;
  for (const std::uint8_t byte : digest) {
    hex += "0123456789abcdef"[byte >> 4];
    hex += "0123456789abcdef"[byte & 15];
  }
  return "import-" + hex;
}

// A compact JWE or base64 of either alphabet. What has a space is a text that was not sealed.
bool LooksSealed(std::string_view payload) {
  return std::all_of(payload.begin(), payload.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' ||
           c == '_' || c == '+' || c == '/' || c == '=';
  });
}

}  // namespace

ImportRows::ImportRows(const Session& session, std::istream& in, std::filesystem::path folder)
    : session_(session), csv_(in), folder_(std::move(folder)) {
  if (session.arguments.dry_run) zones_ = delivery::MakeZoneResolver();
}

absl::Status ImportRows::ReadTitles() {
  const auto read = csv_.Next(titles_);
  if (!read.ok()) return read.status();
  if (!*read) return absl::InvalidArgumentError("import: the file is empty; its first line must name the columns");
  for (std::size_t i = 0; i < titles_.size(); ++i) {
    const std::string column = ColumnOf(titles_[i]);
    if (column.empty())
      return absl::InvalidArgumentError(
          absl::StrCat("line ", csv_.line(), ": names a column that import does not know (column ", i + 1,
                       "); it knows key, target, batch, at, to, sender, text, payload, payload_file, key_id and "
                       "idempotency_key"));
    if (!columns_.emplace(column, i).second)
      return absl::InvalidArgumentError(
          absl::StrCat("line ", csv_.line(), ": the column ", column, " stands there twice"));
  }
  const auto has = [this](const char* column) { return columns_.count(column) > 0; };
  const bool seals = has("to") || has("text"), sealed = has("payload") || has("payload_file");
  if (seals == sealed || has("to") != has("text"))
    return absl::InvalidArgumentError(
        absl::StrCat("line ", csv_.line(),
                     ": needs the columns to and text (sealed here), or payload or payload_file (sealed already)"));
  if (!seals) return absl::OkStatus();
  auto key = ReadPublicKey(session_.arguments.seal.pubkey);
  if (!key.ok()) return key.status();
  key_ = *std::move(key);
  if (session_.arguments.tenant.empty())
    return absl::InvalidArgumentError("--tenant: say whose credential schedules them (or SMSFLOW_TENANT)");
  return absl::OkStatus();
}

absl::StatusOr<std::optional<ImportRow>> ImportRows::Next() {
  ImportRow row{0, {}, BulkItem()};
  const auto read = csv_.Next(row.cells);
  if (!read.ok()) return read.status();
  if (!*read) return std::optional<ImportRow>();
  row.line = csv_.line();
  row.item = MakeItem(row.cells);
  if (row.item.ok()) row.item->number = row.line;
  return std::optional<ImportRow>(std::move(row));
}

std::string ImportRows::Cell(const std::vector<std::string>& cells, const char* column,
                             const std::string& otherwise) const {
  const auto found = columns_.find(column);
  return found == columns_.end() || cells[found->second].empty() ? otherwise : cells[found->second];
}

absl::StatusOr<BulkItem> ImportRows::MakeItem(const std::vector<std::string>& cells) {
  if (cells.size() != titles_.size())
    return absl::InvalidArgumentError(absl::StrCat("has ", cells.size(), " cells, the first line ", titles_.size()));
  for (const auto& [column, at] : columns_) {
    const bool is_text = column == "text" || column == kRefusedBecause;
    if (is_text ? !smpp::IsUtf8(cells[at]) : !IsPrintable(cells[at]))
      return absl::InvalidArgumentError(absl::StrCat(column, ": must be ", is_text ? "" : "printable ", "UTF-8"));
  }
  const Arguments& arguments = session_.arguments;
  BulkItem item;
  v1::ScheduleRequest& request = item.request;
  request.set_batch(Cell(cells, "batch", arguments.batch));
  request.set_key(Cell(cells, "key"));
  request.set_target(Cell(cells, "target"));
  request.set_key_id(Cell(cells, "key_id", arguments.key_id));
  const std::string slots = Cell(cells, "at", arguments.schedule);
  if (slots.empty()) return absl::InvalidArgumentError("at: is missing; give a column at, or --at for all rows");
  const auto expanded = ExpandSlots(slots, session_.terminal.now_ms());
  if (!expanded.ok()) return absl::InvalidArgumentError(absl::StrCat("at: ", expanded.status().message()));
  request.set_schedule(*expanded);
  if (absl::Status status = Name(item, slots, Cell(cells, "idempotency_key")); !status.ok()) return status;
  auto payload = Payload(cells, request.key());
  if (!payload.ok()) return payload.status();
  request.set_payload(*std::move(payload));
  if (zones_)
    if (absl::Status status = CheckLikeTheServer(request, zones_.get()); !status.ok()) return status;
  return item;
}

absl::Status ImportRows::Name(BulkItem& item, const std::string& slots, const std::string& own_key) {
  v1::ScheduleRequest& request = item.request;
  request.set_idempotency_key(own_key);
  if (!own_key.empty()) return absl::OkStatus();
  if (request.key().empty() && request.target().empty())
    return absl::InvalidArgumentError(
        "key: is missing; a row needs key, target or idempotency_key, so that running the import again doubles none");
  const auto occurrence =
      alike_.Count(absl::StrCat(request.batch(), "\n", request.key(), "\n", request.target(), "\n", slots));
  if (!occurrence)
    return absl::ResourceExhaustedError("is one of too many; split the file, 25 million rows are the most");
  request.set_idempotency_key(IdempotencyKey(session_.arguments.import_name, request, slots, *occurrence));
  item.key_is_identity = true;
  return absl::OkStatus();
}

absl::StatusOr<std::string> ImportRows::SealedPayload(const std::vector<std::string>& cells) const {
  std::string payload = Cell(cells, "payload");
  const std::string file = Cell(cells, "payload_file");
  if (!payload.empty() && !file.empty())
    return absl::InvalidArgumentError("payload, payload_file: a row has one of them");
  if (file.empty()) return payload;
  auto contents =
      ReadEnvelope(std::filesystem::path(file).is_absolute() ? file : (folder_ / file).string(), session_.terminal.in);
  if (!contents.ok()) return absl::InvalidArgumentError(absl::StrCat("payload_file: ", contents.status().message()));
  return contents;
}

absl::StatusOr<std::string> ImportRows::Payload(const std::vector<std::string>& cells, const std::string& key) const {
  if (!key_) {
    auto payload = SealedPayload(cells);
    if (!payload.ok()) return payload.status();
    if (payload->empty()) return absl::InvalidArgumentError("payload: is empty");
    if (payload->size() > kPayloadBytesMax) return absl::InvalidArgumentError("payload: must be at most 16384 bytes");
    if (!LooksSealed(*payload))
      return absl::InvalidArgumentError(
          "payload: is not sealed; it must be a compact JWE or base64 (number and text go into the columns to and "
          "text)");
    return payload;
  }
  const SealArguments& seal = session_.arguments.seal;
  const auto plain =
      PlainText({Cell(cells, "to"), Cell(cells, "sender", seal.sender), seal.priority, Cell(cells, "text")});
  if (!plain.ok()) return plain.status();
  return crypto::SealEnvelope(*key_, crypto::EnvelopeSubject(session_.arguments.tenant, key), *plain,
                              session_.terminal.now_ms() / 1000);
}

}  // namespace smsflow::cli
