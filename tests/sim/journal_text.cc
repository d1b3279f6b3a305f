#include "tests/sim/journal_text.h"

#include "absl/strings/str_cat.h"
#include "engine/recorded_event.h"
#include "storage/journal.h"
#include "storage/keys.h"

namespace smsflow::sim {

std::string JournalOf(const storage::Store& store, const workflows::Workflow& workflow, const InstanceId& id) {
  const std::string prefix(storage::Key('j', id.shard()).view());
  std::string text, fixed;
  const auto rows = store.Scan(storage::Family::kJournal, prefix, storage::PrefixEnd(prefix), false);
  for (; rows->Valid(); rows->Next()) {
    const std::uint64_t sequence = storage::SequenceOfKey(rows->key());
    const auto record = storage::DecodeJournal(id.shard(), sequence, rows->value());
    ::smsflow::stored::v1::JournalBody body;
    if (!record.ok() || record->header.instance != id || !body.ParseFromString(record->body)) continue;
    if (!body.fixed().empty()) fixed = body.fixed();
    absl::StrAppend(&text, "  ", sequence, "  ", Readable(workflow, body, fixed), "\n");
  }
  return text;
}

std::string Readable(const workflows::Workflow& workflow, const ::smsflow::stored::v1::JournalBody& body,
                     const std::string& fixed) {
  const workflows::Event event = engine::RecordedEvent(body);
  const auto told = workflow.Describe(event, fixed, body.result().data());
  const auto state = [&workflow](std::uint32_t number) {
    return std::string(workflow.StateName(static_cast<std::uint16_t>(number)));
  };
  std::string text = absl::StrCat(body.at_ms(), "  ", state(body.from_state()), " -> ", state(body.result().state()),
                                  "  ", told.event);
  if (body.attempt() != 0) absl::StrAppend(&text, " of attempt ", body.attempt());
  for (const std::string& part : {told.detail, body.cause()})
    if (!part.empty()) absl::StrAppend(&text, "; ", part);
  absl::StrAppend(&text, "  by ", body.actor().empty() ? "its client" : body.actor());
  if (!body.gateway().empty()) absl::StrAppend(&text, " to ", body.gateway(), "/", body.store_uuid());
  return text;
}

std::set<InstanceId> NamedIn(const std::vector<std::string>& sentences) {
  constexpr std::size_t kIdBytes = 36;
  std::set<InstanceId> named;
  for (const std::string_view sentence : sentences)
    for (std::size_t at = 0; at + kIdBytes <= sentence.size(); ++at)
      if (const auto id = InstanceId::Parse(sentence.substr(at, kIdBytes))) named.insert(*id);
  return named;
}

}  // namespace smsflow::sim
