#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "smsflow/stored/v1/records.pb.h"
#include "storage/accounts.h"
#include "storage/journal.h"
#include "storage/keys.h"
#include "storage/records.h"
#include "tools/cli/db.h"
#include "tools/cli/json_text.h"

namespace smsflow::cli {
namespace {

namespace stored = smsflow::stored::v1;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using storage::Family;

// What users gave, and what workflows keep of it. Payloads and what is kept of
// passwords are left out always.
constexpr std::array<std::string_view, 19> kNames{
    "tenant",    "target", "value", "fixed",   "data",      "event_body", "body",    "answer", "scope", "reason",
    "broadcast", "dedupe", "index", "account", "full_name", "email",      "clients", "client", "group"};

void Redact(Message& message, bool names) {
  const auto* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    const bool is_name = std::find(kNames.begin(), kNames.end(), field->name()) != kNames.end();
    if (field->name() == "payload" || field->name() == "password" || (is_name && !names)) {
      reflection->ClearField(&message, field);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      const int count = field->is_repeated() ? reflection->FieldSize(message, field) : 1;
      for (int i = 0; i < count; ++i)
        Redact(field->is_repeated() ? *reflection->MutableRepeatedMessage(&message, field, i)
                                    : *reflection->MutableMessage(&message, field),
               names);
    }
  }
}

std::string Hex(std::string_view bytes) { return absl::BytesToHexString(std::string(bytes)); }

class Dumper {
 public:
  Dumper(const storage::Store& store, const DumpOptions& options, const Terminal& terminal)
      : store_(store), options_(options), terminal_(terminal) {}

  absl::Status Run() {
    for (int i = 0; i < storage::kFamilies; ++i) {
      const auto rows = store_.Scan(static_cast<Family>(i), options_.kind, storage::PrefixEnd(options_.kind));
      for (; rows->Valid() && !terminal_.interrupted(); rows->Next()) DumpRow(rows->key(), rows->value());
      if (!rows->status().ok()) return rows->status();
    }
    return absl::OkStatus();
  }

 private:
  void DumpRow(std::string_view key, std::string_view value) {
    if (key.size() < 3) key = std::string_view("???", 3);
    const char kind = key[0];
    shard_ = ShardId{static_cast<std::uint16_t>(storage::ReadBigEndian(key.substr(1, 2)))};
    line_ = absl::StrCat("{\"kind\":", JsonText(std::string(1, kind)), ",\"shard\":", shard_.value,
                         ",\"key\":", JsonText(Hex(key.substr(3))));
    DescribeKey(kind, key);
    DescribeValue(kind, key, value);
    terminal_.out << line_ << ",\"value_bytes\":" << value.size() << "}\n";
  }

  void DescribeKey(char kind, std::string_view key) {
    if (std::string_view("hsi").find(kind) != std::string_view::npos) AddId(storage::InstanceOfKey(key));
    if (const auto timer = storage::TimerKey::Decode(key)) {
      AddId(timer->instance);
      absl::StrAppend(&line_, ",\"due_ms\":", timer->due_ms, ",\"name\":", timer->name);
    }
    if (const auto ready = storage::ReadyKey::Decode(key)) {
      AddId(ready->instance);
      absl::StrAppend(&line_, ",\"due_ms\":", ready->due_ms, ",\"name\":", ready->name);
    }
    if (std::string_view("jaolugA").find(kind) != std::string_view::npos && key.size() >= 11)
      absl::StrAppend(&line_, ",\"sequence\":", storage::SequenceOfKey(key));
  }

  void DescribeValue(char kind, std::string_view key, std::string_view value) {
    switch (kind) {
      case 'h':
        return AddRow(storage::DecodeHead(value));
      case 's':
        return AddRow(storage::DecodeState(value));
      case 'j':
        return AddRecord(storage::DecodeJournal(shard_, storage::SequenceOfKey(key), value));
      case 'a':
        return AddAnchor(storage::DecodeAnchor(shard_, storage::SequenceOfKey(key), value));
      case 'o':
        return AddRow(storage::DecodeOutbox(value));
      case 'l':
        return AddRow(storage::DecodeTell(value));
      case 'f':
        return AddRow(storage::DecodeFeed(value));
      case 'w':
        return AddRow(storage::DecodeSweep(value));
      case 'm':
        return AddRow(storage::DecodeMembership(value));
      case 'd':
        return AddRow(storage::DecodeDedupe(value));
      case 'p':
        return AddRow(storage::DecodePause(value));
      case 'k':
        return AddFound(storage::GetMarks(store_, shard_));
      case 'M':
        return AddFound(storage::GetMeta(store_));
      case 'L':
        return AddApplied(key);
      case 'u':
        return AddRow(storage::DecodeAccount(value));
      case 'g':
        return AddRow(storage::DecodeClient(value));
      case 'A':
        return AddChange(storage::DecodeAccountChange(value));
      default:
        return;  // the key says it all, or the value is a name
    }
  }

  void AddId(const std::optional<InstanceId>& id) {
    if (id) absl::StrAppend(&line_, ",\"id\":", JsonText(id->ToString()));
  }
  void AddError(const absl::Status& status) {
    absl::StrAppend(&line_, ",\"error\":", JsonText(std::string(status.message())));
  }
  void AddMessage(Message& row) {
    Redact(row, options_.names);
    absl::StrAppend(&line_, ",\"row\":", ToJson(row));
  }
  template <class Row>
  void AddRow(absl::StatusOr<Row> row) {
    row.ok() ? AddMessage(*row) : AddError(row.status());
  }
  template <class Row>
  void AddFound(storage::Found<Row> row) {
    if (!row.ok()) return AddError(row.status());
    if (*row) AddMessage(**row);
  }
  void AddAnchor(const absl::StatusOr<storage::ChainAnchor>& anchor) {
    if (!anchor.ok()) return AddError(anchor.status());
    const auto& chain = anchor->head.chain;
    absl::StrAppend(&line_, ",\"count\":", anchor->count,
                    ",\"chain\":", JsonText(Hex({reinterpret_cast<const char*>(chain.data()), chain.size()})));
  }
  void AddRecord(const absl::StatusOr<storage::JournalRecord>& record) {
    if (!record.ok()) return AddError(record.status());
    const auto& header = record->header;
    AddId(header.instance);
    absl::StrAppend(
        &line_, ",\"previous\":", header.previous, ",\"erased\":", header.erased ? "true" : "false",
        ",\"chain\":", JsonText(Hex({reinterpret_cast<const char*>(header.chain.data()), header.chain.size()})));
    stored::JournalBody body;
    if (header.erased) return;
    if (!body.ParseFromString(record->body)) return AddError(absl::DataLossError("its body cannot be read"));
    AddMessage(body);
  }
  void AddChange(const absl::StatusOr<stored::AccountChangeRow>& row) {
    stored::AccountChange change;
    if (!row.ok()) return AddError(row.status());
    absl::StrAppend(&line_, ",\"chain\":", JsonText(Hex(row->chain())));
    if (!change.ParseFromString(row->body())) return AddError(absl::DataLossError("its body cannot be read"));
    AddMessage(change);
  }
  void AddApplied(std::string_view key) {
    if (key.size() != 5) return;
    const ShardId source{static_cast<std::uint16_t>(storage::ReadBigEndian(key.substr(3, 2)))};
    const auto sequence = storage::GetAppliedTell(store_, shard_, source);
    if (!sequence.ok()) return AddError(sequence.status());
    absl::StrAppend(&line_, ",\"source\":", source.value, ",\"applied\":", *sequence);
  }

  const storage::Store& store_;
  const DumpOptions& options_;
  const Terminal& terminal_;
  ShardId shard_;
  std::string line_;
};

}  // namespace

absl::Status DumpRows(const storage::Store& store, const DumpOptions& options, const Terminal& terminal) {
  return Dumper(store, options, terminal).Run();
}

}  // namespace smsflow::cli
