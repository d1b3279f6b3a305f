// What could not be taken from Kafka: where it stands and why; and put back, once it can be.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "kafka/checkup.h"
#include "kafka/client.h"
#include "kafka/instant.h"
#include "kafka/records.h"
#include "tools/cli/failure.h"
#include "tools/cli/files.h"
#include "tools/cli/json_text.h"
#include "tools/cli/table.h"
#include "tools/cli/verbs.h"

namespace smsflow::cli {
namespace {

constexpr std::chrono::milliseconds kPatience(10'000);
constexpr std::chrono::milliseconds kPoll(200);
constexpr std::size_t kAtOnce = 1'000;
constexpr char kNoSuchRecord[] = "there is no such record, or not any more";

struct Place {
  kafka::TopicPartition partition;
  std::int64_t offset = 0;
  auto operator<=>(const Place&) const = default;
  std::string Text() const { return absl::StrCat(partition.topic, "/", partition.partition, "/", offset); }
};

std::optional<Place> ParsePlace(const std::string& text) {
  const std::size_t last = text.rfind('/');
  if (last == std::string::npos || last == 0) return std::nullopt;
  const std::size_t first = text.rfind('/', last - 1);
  Place place;
  if (first == std::string::npos || first == 0 ||
      !absl::SimpleAtoi(text.substr(first + 1, last - first - 1), &place.partition.partition) ||
      !absl::SimpleAtoi(text.substr(last + 1), &place.offset) || place.partition.partition < 0 || place.offset < 0)
    return std::nullopt;
  place.partition.topic = text.substr(0, first);
  return place;
}

absl::StatusOr<kafka::ClientOptions> ClientOf(const Arguments& arguments) {
  kafka::ClientOptions options{"smsflow", arguments.kafka, {}};
  if (arguments.kafka_properties.empty()) return options;
  const auto text = ReadWholeFile(arguments.kafka_properties);
  if (!text.ok()) return text.status();
  if (absl::Status status = kafka::AddProperties(*text, options.properties); !status.ok()) return status;
  return options;
}

// Every letter that stands in the topic now, oldest first in each partition.
absl::StatusOr<std::vector<kafka::DeadLetter>> Letters(const kafka::ClientOptions& client, const std::string& topic,
                                                       const Terminal& terminal) {
  auto admin = kafka::Admin::Open(client);
  if (!admin.ok()) return admin.status();
  const auto topics = (*admin)->Topics({topic}, kPatience);
  if (!topics.ok()) return topics.status();
  if (!topics->front().status.ok()) return topics->front().status;
  std::vector<kafka::Start> starts;
  std::map<kafka::TopicPartition, std::int64_t> ends;  // of those that are not read to their end
  for (const kafka::PartitionInfo& partition : topics->front().partitions) {
    const kafka::TopicPartition place{topic, partition.partition};
    const auto marks = (*admin)->Ends(place, kPatience);
    if (!marks.ok()) return marks.status();
    if (marks->high == marks->low) continue;
    starts.push_back({place, kafka::kFromBeginning});
    ends[place] = marks->high;
  }
  auto consumer = kafka::Consumer::Open(client, "smsflow-dead-letter-list");
  if (!consumer.ok()) return consumer.status();
  if (absl::Status status = (*consumer)->Add(starts); !status.ok()) return status;
  std::vector<kafka::DeadLetter> letters;
  auto quiet_since = std::chrono::steady_clock::now();
  while (!ends.empty() && !(terminal.interrupted && terminal.interrupted())) {
    kafka::Polled polled = (*consumer)->Poll(kPoll, kAtOnce);
    for (const auto& [place, status] : polled.errors)
      if (!kafka::IsRetriable(status)) return status;
    for (const kafka::Record& record : polled.records) {
      const auto end = ends.find({std::string(record.topic()), record.partition()});
      if (end != ends.end() && record.offset() + 1 >= end->second) ends.erase(end);
      auto letter = kafka::DecodeDeadLetter(record.value());
      if (letter.ok()) letters.push_back(*std::move(letter));
    }
    const auto now = std::chrono::steady_clock::now();
    if (!polled.records.empty()) quiet_since = now;
    if (now - quiet_since > kPatience)
      return absl::UnavailableError("kafka: the topic was not read to its end in time");
  }
  return letters;
}

Outcome List(const Arguments& arguments, const Terminal& terminal, const kafka::ClientOptions& client) {
  const auto letters = Letters(client, arguments.dead_letter_topic, terminal);
  if (!letters.ok()) return kafka::InWords(letters.status(), client);
  Table table({"record", "given up", "by", "reason"});
  for (const kafka::DeadLetter& letter : *letters) {
    const std::string place = Place{{letter.topic, letter.partition}, letter.offset}.Text();
    const std::string at = kafka::FormatInstant(letter.at_ms);
    if (arguments.json) {
      terminal.out << absl::StrCat("{\"record\":", JsonText(place), ",\"topic\":", JsonText(letter.topic),
                                   ",\"partition\":", letter.partition, ",\"offset\":", letter.offset,
                                   ",\"at\":", JsonText(at), ",\"by\":", JsonText(letter.by),
                                   ",\"reason\":", JsonText(letter.reason), "}\n");
    } else {
      table.Add({Visible(place), at, Visible(letter.by), Visible(letter.reason)});
    }
  }
  const bool people = terminal.out_is_terminal && !arguments.plain;
  if (!arguments.json) terminal.out << (people ? table.ForPeople(terminal) : table.ForScripts());
  return kExitOk;
}

// The record as it stood there, behind all that stands there now.
absl::Status Requeue(const Place& place, const kafka::ClientOptions& client, kafka::Producer& producer) {
  auto consumer = kafka::Consumer::Open(client, "smsflow-dead-letter-requeue");
  if (!consumer.ok()) return consumer.status();
  if (absl::Status status = (*consumer)->Add({{place.partition, place.offset}}); !status.ok()) return status;
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < until) {
    kafka::Polled polled = (*consumer)->Poll(kPoll, 1);
    for (const auto& [where, status] : polled.errors) {
      if (absl::IsOutOfRange(status)) return absl::NotFoundError(kNoSuchRecord);
      if (absl::IsNotFound(status)) return absl::NotFoundError("there is no such topic, or no such partition of it");
      if (!kafka::IsRetriable(status)) return status;
    }
    if (polled.records.empty()) continue;
    const kafka::Record& record = polled.records.front();
    if (record.offset() != place.offset) return absl::NotFoundError(kNoSuchRecord);
    kafka::Headers headers;
    for (const kafka::HeaderView& header : record.headers())
      headers.push_back({std::string(header.name), std::string(header.value)});
    if (absl::Status status = producer.Produce(place.partition.topic, place.partition.partition, record.key(),
                                               record.value(), headers, 1);
        !status.ok())
      return status;
    std::vector<kafka::Delivery> deliveries;
    while (deliveries.empty() && std::chrono::steady_clock::now() < until) producer.Poll(kPoll, 1, deliveries);
    return deliveries.empty() ? absl::DeadlineExceededError("the broker did not say that it has it")
                              : deliveries.front().status;
  }
  return kafka::InWords(absl::DeadlineExceededError("read"), client);
}

Outcome RequeueAll(const Arguments& arguments, const Terminal& terminal, const kafka::ClientOptions& client) {
  std::set<Place> places;
  for (const std::string& text : arguments.records) {
    const auto place = ParsePlace(text);
    if (!place)
      return absl::InvalidArgumentError("record: must be TOPIC/PARTITION/OFFSET, as dead-letter list shows it");
    places.insert(*place);
  }
  if (arguments.all) {
    const auto letters = Letters(client, arguments.dead_letter_topic, terminal);
    if (!letters.ok()) return kafka::InWords(letters.status(), client);
    for (const auto& letter : *letters) places.insert({{letter.topic, letter.partition}, letter.offset});
  }
  if (places.empty() && !arguments.all) return absl::InvalidArgumentError("record: name at least one, or --all");
  auto producer = kafka::Producer::Open(client);
  if (!producer.ok()) return producer.status();
  int failed = 0;
  for (const Place& place : places) {
    const absl::Status status = Requeue(place, client, **producer);
    failed += !status.ok();
    if (arguments.json) {
      terminal.out << absl::StrCat("{\"record\":", JsonText(place.Text()),
                                   ",\"requeued\":", status.ok() ? "true" : "false",
                                   ",\"why\":", JsonText(std::string(status.message())), "}\n");
    } else {
      terminal.out << Visible(place.Text()) << ": "
                   << (status.ok() ? std::string("requeued") : "not requeued: " + std::string(status.message()))
                   << "\n";
    }
    if (kafka::IsFatal(status) || absl::IsUnavailable(status)) return status;
  }
  return failed == 0 ? kExitOk : kExitNegative;
}

}  // namespace

Outcome RunDeadLetter(const Arguments& arguments, const Terminal& terminal) {
  spdlog::set_level(spdlog::level::off);  // what librdkafka would tell stands in the answer
  const auto client = ClientOf(arguments);
  if (!client.ok()) return client.status();
  if (absl::Status status = kafka::CheckProperties(client->properties); !status.ok()) return status;
  return arguments.subject == "list" ? List(arguments, terminal, *client) : RequeueAll(arguments, terminal, *client);
}

}  // namespace smsflow::cli
