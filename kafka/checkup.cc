#include "kafka/checkup.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "absl/strings/str_cat.h"

namespace smsflow::kafka {
namespace {

constexpr std::chrono::milliseconds kAsk(5'000);
constexpr std::chrono::milliseconds kLook(200);
constexpr std::int64_t kLargestRecord = 300'000;  // kValueBytesMax and what stands around it

std::int64_t NumberOf(const std::map<std::string, std::string>& configs, const char* name, std::int64_t otherwise) {
  const auto found = configs.find(name);
  if (found == configs.end()) return otherwise;
  std::int64_t value = otherwise;
  std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
  return value;
}

std::string TextOf(const std::map<std::string, std::string>& configs, const char* name) {
  const auto found = configs.find(name);
  return found == configs.end() ? "" : found->second;
}

std::string Days(std::int64_t ms) {
  if (ms < kRetentionLeastMs) return absl::StrCat(ms / 3'600'000, " h");
  return absl::StrCat(ms / kRetentionLeastMs, " days");
}

class Judge {
 public:
  explicit Judge(const TopicInfo& topic) : topic_(topic) {}

  void Bad(std::string detail) { Add(Verdict::kBad, std::move(detail)); }
  void Note(std::string detail) { Add(Verdict::kNote, std::move(detail)); }
  std::vector<Finding> Take() {
    if (findings_.empty()) Add(Verdict::kGood, absl::StrCat(topic_.partitions.size(), " partitions"));
    std::stable_sort(findings_.begin(), findings_.end(),
                     [](const Finding& a, const Finding& b) { return a.verdict > b.verdict; });
    return std::move(findings_);
  }

 private:
  void Add(Verdict verdict, std::string detail) { findings_.push_back({verdict, topic_.topic, std::move(detail)}); }

  const TopicInfo& topic_;
  std::vector<Finding> findings_;
};

void JudgeCopies(const TopicInfo& topic, std::int64_t least, std::size_t brokers, Judge& judge) {
  std::size_t copies = SIZE_MAX, in_sync = SIZE_MAX;
  for (const PartitionInfo& one : topic.partitions) {
    if (one.leader < 0) judge.Bad(absl::StrCat("partition ", one.partition, " has no leader: nothing goes in or out"));
    copies = std::min(copies, one.replicas);
    in_sync = std::min(in_sync, one.in_sync);
  }
  if (topic.partitions.empty()) return;
  const auto needed = static_cast<std::size_t>(least);
  if (needed > copies) {
    judge.Bad(absl::StrCat("min.insync.replicas is ", least, " of ", copies, " copies: nothing can be written"));
  } else if (in_sync < needed) {
    judge.Bad(absl::StrCat("only ", in_sync, " copies are in sync, and min.insync.replicas is ", least,
                           ": nothing can be written until a broker is back"));
  } else if (copies == 1) {
    judge.Note(brokers > 1 ? "one copy, on one of several brokers: a lost disk loses SMSes; make it 3"
                           : "one broker, one copy: a lost disk loses what was acknowledged");
  } else if (needed == 1) {
    judge.Bad(absl::StrCat("min.insync.replicas is 1 of ", copies,
                           ": what one broker acknowledged alone may be lost; set 2"));
  } else if (needed == copies) {
    judge.Note(absl::StrCat("min.insync.replicas is all ", copies, " copies: one broker away stops the writing"));
  }
}

}  // namespace

std::vector<Finding> JudgeTopic(const TopicInfo& topic, const std::map<std::string, std::string>& configs,
                                std::size_t brokers) {
  Judge judge(topic);
  if (absl::IsNotFound(topic.status)) {
    judge.Bad("there is no such topic; make it, for nothing here makes one by itself");
    return judge.Take();
  }
  if (!topic.status.ok()) {
    judge.Bad(std::string(topic.status.message()));
    return judge.Take();
  }
  JudgeCopies(topic, NumberOf(configs, "min.insync.replicas", 1), brokers, judge);
  if (TextOf(configs, "unclean.leader.election.enable") == "true") {
    judge.Bad("unclean.leader.election.enable is true: what was acknowledged may be lost; set false");
  }
  if (TextOf(configs, "cleanup.policy").find("compact") != std::string::npos) {
    judge.Bad("cleanup.policy compacts: records that were never read are deleted; set delete");
  }
  const std::int64_t retention_ms = NumberOf(configs, "retention.ms", kRetentionGoodMs);
  if (retention_ms >= 0 && retention_ms < kRetentionLeastMs) {
    judge.Bad(
        absl::StrCat("retention.ms is ", Days(retention_ms), ": an outage of that length loses records; set 7 days"));
  } else if (retention_ms >= 0 && retention_ms < kRetentionGoodMs) {
    judge.Note(absl::StrCat("retention.ms is ", Days(retention_ms), "; 7 days outlast a longer outage"));
  }
  if (NumberOf(configs, "retention.bytes", -1) >= 0) {
    judge.Note("retention.bytes is set: a burst may push out what was not read");
  }
  if (NumberOf(configs, "max.message.bytes", kLargestRecord) < kLargestRecord) {
    judge.Note("max.message.bytes is below 300000: the largest records are refused");
  }
  return judge.Take();
}

std::vector<Finding> JudgeOptionalTopic(const TopicInfo& topic, const std::map<std::string, std::string>& configs,
                                        std::size_t brokers, std::string_view needed_for) {
  if (absl::IsNotFound(topic.status))
    return {
        {Verdict::kNote, topic.topic, absl::StrCat("there is no such topic; make it for ", std::string(needed_for))}};
  return JudgeTopic(topic, configs, brokers);
}

Finding JudgeClock(const Announcement& said, std::int64_t now_ms) {
  const std::int64_t ahead_ms = said.at_ms - now_ms;
  if (ahead_ms > kClockMs || ahead_ms < -kClockMs) {
    return {Verdict::kBad, said.peer.gateway,
            absl::StrCat("its clock is ", (ahead_ms < 0 ? -ahead_ms : ahead_ms) / 1000, " s ",
                         ahead_ms < 0 ? "behind" : "ahead of", " this machine's: slots and deadlines will be missed")};
  }
  return {Verdict::kGood, said.peer.gateway,
          absl::StrCat("reads ", said.partitions.size(), " partitions, takes ", said.credit, " at once")};
}

namespace {

// What gateways say of themselves from now on.
std::vector<Finding> Listen(const ClientOptions& options, const TopicInfo& topic, std::chrono::milliseconds time,
                            const std::function<std::int64_t()>& now_ms) {
  auto consumer = Consumer::Open(options, "smsflow-doctor");
  if (!consumer.ok()) return {{Verdict::kBad, "gateways", std::string(consumer.status().message())}};
  std::vector<Start> starts;
  for (const PartitionInfo& one : topic.partitions) starts.push_back({{topic.topic, one.partition}, kFromEnd});
  if (const auto status = (*consumer)->Add(starts); !status.ok()) {
    return {{Verdict::kBad, "gateways", std::string(status.message())}};
  }
  std::map<std::string, Finding> heard;
  const auto until = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < until) {
    for (const Record& record : (*consumer)->Poll(kLook, 1000).records) {
      if (!IsAnnouncement(record.headers())) continue;
      const auto said = DecodeAnnouncement(record.value());
      if (said.ok()) heard[said->peer.gateway] = JudgeClock(*said, now_ms());
    }
  }
  std::vector<Finding> findings;
  for (auto& [gateway, finding] : heard) findings.push_back(std::move(finding));
  if (findings.empty()) {
    findings.push_back(
        {Verdict::kNote, "gateways",
         absl::StrCat("none announced itself within ", time.count() / 1000, " s: nothing is handed over")});
  }
  return findings;
}

}  // namespace

std::vector<Finding> CheckUp(const ClientOptions& options, const std::vector<std::string>& topics,
                             const OptionalTopics& optional, const std::string& status_topic,
                             std::chrono::milliseconds listen, const std::function<std::int64_t()>& now_ms) {
  const auto broken = [&](const absl::Status& why) {
    const absl::Status told = InWords(why, options);
    return std::vector<Finding>{{Verdict::kBad, "brokers", std::string(told.message()), told.code()}};
  };
  auto admin = Admin::Open(options);
  if (!admin.ok()) return broken(admin.status());
  const auto brokers = (*admin)->Brokers(kAsk);
  if (!brokers.ok()) return broken(brokers.status());
  std::vector<std::string> all = topics;
  for (const auto& [topic, needed_for] : optional) all.push_back(topic);
  const auto infos = (*admin)->Topics(all, kAsk);
  if (!infos.ok()) return broken(infos.status());
  std::vector<Finding> findings = {{Verdict::kGood, "brokers", absl::StrCat(*brokers, " answer")}};
  for (const TopicInfo& topic : *infos) {
    std::map<std::string, std::string> configs;
    if (topic.status.ok()) {
      auto read = (*admin)->Configs(topic.topic, kAsk);
      if (read.ok())
        configs = *std::move(read);
      else
        findings.push_back({Verdict::kNote, topic.topic, std::string(read.status().message())});
    }
    const auto needed = optional.find(topic.topic);
    for (Finding& finding : needed == optional.end() ? JudgeTopic(topic, configs, *brokers)
                                                     : JudgeOptionalTopic(topic, configs, *brokers, needed->second))
      findings.push_back(std::move(finding));
    if (topic.topic != status_topic || !topic.status.ok()) continue;
    for (Finding& finding : Listen(options, topic, listen, now_ms)) findings.push_back(std::move(finding));
  }
  return findings;
}

absl::Status InWords(const absl::Status& status, const ClientOptions& options) {
  if (!absl::IsUnavailable(status) && !absl::IsDeadlineExceeded(status)) return status;
  return absl::UnavailableError(
      absl::StrCat("cannot reach ", options.servers, ": are Kafka's brokers there, and do TLS and SASL fit theirs?"));
}

absl::Status MakeTopics(const ClientOptions& options, const std::vector<std::string>& topics, std::int32_t partitions) {
  constexpr std::chrono::milliseconds kMake(30'000);
  auto admin = Admin::Open(options);
  if (!admin.ok()) return admin.status();
  std::vector<NewTopic> wanted;
  for (const std::string& topic : topics) {
    wanted.push_back({topic, partitions, -1, {{"retention.ms", absl::StrCat(kRetentionGoodMs)}}});
  }
  const auto made = (*admin)->Create(wanted, kMake);
  if (!made.ok()) return made.status();
  absl::Status status;
  for (const absl::Status& one : *made) {
    if (!absl::IsAlreadyExists(one)) status.Update(one);
  }
  return status;
}

}  // namespace smsflow::kafka
