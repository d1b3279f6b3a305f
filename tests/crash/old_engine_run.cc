#include "tests/crash/old_engine_run.h"

#include <signal.h>

#include <algorithm>
#include <chrono>
#include <iomanip>
#include <iostream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gateway/kafka_words.h"
#include "gateway/loopback.h"
#include "storage/rocks_store.h"
#include "tests/crash/patience.h"

namespace smsflow::crash {
namespace {

using gateway::Reported;
using std::chrono::milliseconds;

const std::set<Reported> kWords{Reported::kSent, Reported::kDelivered, Reported::kFailedTransient, Reported::kExpired,
                                Reported::kInvalid};
constexpr std::int64_t kSaysAllMs = 2'000;  // the loopback's delays, many times

int Times(const std::map<Reported, int>& heard, Reported word) {
  const auto found = heard.find(word);
  return found == heard.end() ? 0 : found->second;
}

}  // namespace

// What is compared.
struct OldEngineRun::Evidence {
  const Truth truth;
  gateway::Store& store;
  const std::map<std::string, Heard> heard;
  std::set<Place> letters;
  std::set<std::string> tried;  // instances
};

OldEngineRun::OldEngineRun(Site& site, OwnKafka& kafka, std::uint64_t seed, Findings& findings)
    : site_(site),
      kafka_(kafka),
      findings_(findings),
      random_(seed),
      engine_(kafka.address(), site.key(), seed, findings) {}

void OldEngineRun::Go(int cycles) {
  site_.StartGateway();
  // What was written before may have been submitted by whoever read it then, so it begins at the end.
  if (!AwaitSaid(absl::StrCat("send-sms[", kSendPartitions - 1, "] is read from offset")))
    return findings_.Add("the gateway does not begin to read");
  engine_.Start();
  for (int cycle = 1; cycle <= cycles && findings_.count() == 0; ++cycle) {
    Pause(100, 1'500);
    std::cout << "cycle " << cycle << ": ";
    Disturb();
    if (!site_.gateway.running()) findings_.Add("the gateway ended by itself:\n" + Tail(site_.File("gateway.log"), 8));
  }
  std::cout << "drain" << std::endl;
  if (!engine_.Stop()) findings_.Add("the broker did not take all records");
  if (findings_.count() == 0 && Drain()) Judge();
}

void OldEngineRun::Pause(std::int64_t least_ms, std::int64_t most_ms) {
  const auto more = random_() % static_cast<std::uint64_t>(most_ms - least_ms + 1);
  std::this_thread::sleep_for(milliseconds(least_ms + static_cast<std::int64_t>(more)));
}

bool OldEngineRun::AwaitSaid(const std::string& words) {
  const auto start = std::chrono::steady_clock::now();
  while (!site_.GatewaySaid(words)) {
    if (SinceMs(start) > Patient(30'000)) return false;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return true;
}

bool OldEngineRun::AwaitBroker() {
  if (!kafka_.running() && !kafka_.starting()) kafka_.Start();
  if (kafka_.AwaitUp(milliseconds(60'000))) {
    Pause(1'000, 4'000);  // or nothing would be read between two kills
    return true;
  }
  findings_.Add("the broker does not start again:\n" + Tail(kafka_.Log(), 8));
  return false;
}

void OldEngineRun::GatewayDies() {
  site_.gateway.Kill();
  ++gateway_kills_;
}
void OldEngineRun::BrokerDies() {
  kafka_.Kill();
  ++broker_kills_;
}

void OldEngineRun::EndGateway() {
  site_.gateway.Signal(SIGTERM);
  const auto status = site_.gateway.Await(milliseconds(Patient(10'000)));
  // One that had hardly begun hears the signal as any program does.
  const bool well = status == 0 || (status == 128 + SIGTERM && !site_.GatewaySaid("stopping"));
  if (!well) {
    findings_.Add(
        absl::StrCat("the gateway ended with status ", status.value_or(-1), ":\n", Tail(site_.File("gateway.log"), 8)));
  }
  site_.gateway.Kill();
}

void OldEngineRun::KillGatewayWhileItStarts() {
  GatewayDies();
  for (auto times = 1 + random_() % 3; times > 0; --times) {
    site_.StartGateway();
    Pause(0, 400);
    GatewayDies();
  }
  site_.StartGateway();
}

void OldEngineRun::KillGatewayBesideNoBroker() {
  BrokerDies();
  Pause(0, 800);
  GatewayDies();
  site_.StartGateway();
  Pause(0, 1'500);
  if (random_() % 2 == 0) {
    GatewayDies();
    site_.StartGateway();
  }
  AwaitBroker();
}

void OldEngineRun::StopBroker() {
  kafka_.Signal(SIGSTOP);
  Pause(300, 4'000);
  if (random_() % 2 == 0) {
    GatewayDies();
    site_.StartGateway();
  }
  kafka_.Signal(SIGCONT);
}

void OldEngineRun::KillGateway() {
  GatewayDies();
  if (random_() % 3 == 0) Pause(0, 1'500);
  site_.StartGateway();
}
void OldEngineRun::KillBroker() {
  BrokerDies();
  if (random_() % 3 == 0) Pause(0, 1'500);
  AwaitBroker();
}
void OldEngineRun::EndAndStartGateway() {
  EndGateway();
  site_.StartGateway();
}

void OldEngineRun::Disturb() {
  static const std::vector<std::pair<const char*, void (OldEngineRun::*)()>> kinds = {
      {"gateway killed under load", &OldEngineRun::KillGateway},
      {"gateway killed while it starts", &OldEngineRun::KillGatewayWhileItStarts},
      {"gateway ended gracefully", &OldEngineRun::EndAndStartGateway},
      {"broker killed under load", &OldEngineRun::KillBroker},
      {"broker stopped for a while", &OldEngineRun::StopBroker},
      {"gateway killed and started while there is no broker", &OldEngineRun::KillGatewayBesideNoBroker},
  };
  const auto& [name, happen] = kinds[random_() % kinds.size()];
  std::cout << name << std::endl;
  ++disturbances_;
  (this->*happen)();
  moments_.Note(name, true);
}

bool OldEngineRun::Drain() {
  EndGateway();
  std::string group;
  {
    const auto rows = storage::RocksStore::Open({.path = site_.File("gateway"), .file_system = nullptr});
    const auto store = rows.ok() ? gateway::Store::Open(**rows, "g1", NowMs()) : rows.status();
    if (!store.ok()) {
      findings_.Add("the gateway's store: " + store.status().ToString());
      return false;
    }
    group = "smsflow-gateway-g1-" + (*store)->uuid();
  }
  site_.StartGateway();
  const auto consumer = kafka::Consumer::Open(ClientOf(kafka_.address()), group);
  if (!consumer.ok()) {
    findings_.Add("no client of Kafka could be made");
    return false;
  }
  const auto start = std::chrono::steady_clock::now();
  while (!IsReadToTheEnd(kafka_.address(), **consumer, PlacesOf(kafka::kSendTopic, kSendPartitions))) {
    if (SinceMs(start) > Patient(60'000)) {
      findings_.Add("the gateway has not taken up every record");
      return false;
    }
    std::this_thread::sleep_for(milliseconds(200));
  }
  std::this_thread::sleep_for(milliseconds(kSaysAllMs));
  EndGateway();
  return findings_.count() == 0;
}

void OldEngineRun::Judge() {
  std::map<std::string, Heard> heard;
  for (const TopicRecord& record : ReadTopic(kafka_.address(), kafka::kStatusTopic)) {
    const auto word = kafka::DecodeStatusSms(record.value, {});
    if (!word.ok()) return findings_.Add("a word cannot be read: " + word.status().ToString());
    ++heard[word->correl_id][word->result];
    if (!kWords.contains(word->result))
      findings_.Add(word->correl_id + " was told a word that such an engine does not know");
  }
  const auto rows = storage::RocksStore::Open({.path = site_.File("gateway"), .file_system = nullptr});
  const auto store = rows.ok() ? gateway::Store::Open(**rows, "g1", NowMs()) : rows.status();
  if (!store.ok()) return findings_.Add("the gateway's store: " + store.status().ToString());
  Evidence evidence{ReadTruth(site_.File("truth"), findings_), **store, heard, {}, {}};
  for (const TopicRecord& record : ReadTopic(kafka_.address(), kafka::kDeadLetterTopic)) {
    if (const auto letter = kafka::DecodeDeadLetter(record.value); letter.ok())
      evidence.letters.emplace(letter->partition, letter->offset);
  }
  letters_ = evidence.letters.size();
  auto unseen = engine_.acknowledged();
  for (const TopicRecord& record : ReadTopic(kafka_.address(), kafka::kSendTopic)) {
    ++records_;
    const auto told = unseen.find(record.value);
    if (told != unseen.end() && told->second.partition == record.partition &&
        told->second.offset.value_or(record.offset) == record.offset)
      unseen.erase(told);
    JudgeRecord(record, evidence);
  }
  for (const auto& [value, place] : unseen) {
    findings_.Add(absl::StrCat("the broker has lost a record of partition ", place.partition, ", ",
                               place.offset.has_value() ? absl::StrCat("offset ", *place.offset) : "offset unsaid"));
  }
  for (const auto& [partition, offset] : evidence.letters)
    findings_.Add(absl::StrCat("a dead letter of a good record: partition ", partition, ", offset ", offset));
  for (const auto& [id, submits] : evidence.truth) {
    submits_ += submits.size();
    if (!evidence.tried.contains(id)) findings_.Add(IdText(id) + " was submitted, and is no record", id);
  }
  for (const auto& [correl_id, sms] : engine_.smses()) {
    const auto found = heard.find(correl_id);
    JudgeWords(correl_id, sms, found == heard.end() ? Heard{} : found->second);
  }
  const auto lost_at_most = [&](int times) { return static_cast<std::size_t>(times) * site_.credit(); };
  if (unknown_ > lost_at_most(gateway_kills_)) findings_.Add(absl::StrCat(unknown_, " were given up before they left"));
  if (unheard_ > lost_at_most(gateway_kills_ + broker_kills_ + disturbances_))
    findings_.Add(absl::StrCat(unheard_, " words are lost"));
}

void OldEngineRun::JudgeRecord(const TopicRecord& record, Evidence& evidence) {
  const std::string name = absl::StrCat(record.partition, "/", record.offset);
  const auto asked = kafka::DecodeOldSendSms(record.value);
  if (!asked.ok()) {
    if (evidence.letters.erase({record.partition, record.offset}) == 0) findings_.Add("no dead letter of " + name);
    return;
  }
  const auto sms = engine_.smses().find(asked->correl_id);
  if (sms == engine_.smses().end()) return findings_.Add("nobody asked for " + name);
  const AttemptId attempt =
      gateway::AttemptOf(asked->correl_id, {std::string(kafka::kSendTopic), record.partition}, record.offset);
  if (sms->second.served) return JudgeTry(name + " of " + sms->first, sms->second, attempt, evidence);
  ++refused_;
  const auto heard = evidence.heard.find(sms->first);
  if (heard == evidence.heard.end() || Times(heard->second, Reported::kInvalid) == 0)
    findings_.Add(name + " was never refused");
}

// A record that can be read, of a client that is served.
void OldEngineRun::JudgeTry(const std::string& name, const OldEngine::Sms& sms, const AttemptId& attempt,
                            Evidence& evidence) {
  const std::string id(attempt.instance.AsBytes());
  evidence.tried.insert(id);
  const auto left = evidence.truth.find(id);
  const auto known = evidence.store.Find(attempt);
  if (!known.ok() || !known->has_value() || !(*known)->result.has_value())
    return findings_.Add("record " + name + " is lost: the gateway knows nothing of it", id);
  const Reported result = *(*known)->result;
  if (left == evidence.truth.end()) {
    if (result == Reported::kUnknown) {
      ++unknown_;  // a kill between INTENT and the submit
    } else if (result == Reported::kExpired && (*known)->at_ms >= sms.deadline_ms) {
      ++expired_;
    } else {
      findings_.Add(absl::StrCat("record ", name, " never left, and is ", static_cast<int>(result)), id);
    }
  } else if (result == Reported::kNeverSeen || result == Reported::kAccepted) {
    findings_.Add("record " + name + " left, and the gateway does not know it", id);
  }
  const auto found = evidence.heard.find((*known)->old.correl_id);
  const Heard heard = found == evidence.heard.end() ? Heard{} : found->second;
  // These are said until the broker has them, the others once.
  if (result == Reported::kDelivered && Times(heard, Reported::kDelivered) == 0)
    findings_.Add("record " + name + " is delivered, untold");
  if (result == Reported::kInvalid && Times(heard, Reported::kInvalid) == 0)
    findings_.Add("record " + name + " is invalid, untold");
  const bool once = result != Reported::kDelivered && result != Reported::kInvalid && kWords.contains(result);
  unheard_ += once && Times(heard, result) == 0;
}

// Such an engine takes a word that it did not await for a failure, and submits again.
void OldEngineRun::JudgeWords(const std::string& correl_id, const OldEngine::Sms& sms, const Heard& heard) {
  if (Times(heard, Reported::kSent) > sms.tries ||
      Times(heard, Reported::kFailedTransient) + Times(heard, Reported::kExpired) > sms.tries)
    findings_.Add(absl::StrCat(
        correl_id, " (", sms.text, ") was tried ", sms.tries, " times, and heard SENT ", Times(heard, Reported::kSent),
        " times, FAILED ", Times(heard, Reported::kFailedTransient), ", EXPIRED ", Times(heard, Reported::kExpired)));
  const auto script = gateway::ScriptOf(sms.text);
  const auto says = [&](Reported word) {
    return std::any_of(script.begin(), script.end(), [&](const auto& one) { return one.result == word; });
  };
  if (Times(heard, Reported::kDelivered) != 0 && !says(Reported::kDelivered))
    findings_.Add(correl_id + " was told DELIVERED");
  if (Times(heard, Reported::kFailedTransient) != 0 && !says(Reported::kFailedTransient))
    findings_.Add(correl_id + " was told FAILED");
}

void OldEngineRun::Print() const {
  const auto line = [](const char* what, auto count) {
    std::cout << std::left << std::setw(30) << what << std::right << std::setw(9) << count << "\n";
  };
  std::cout << "\n";
  line("records", records_);
  const auto& acknowledged = engine_.acknowledged();
  line("acknowledged", acknowledged.size());
  line("of these, place unsaid",
       std::count_if(acknowledged.begin(), acknowledged.end(), [](const auto& one) { return !one.second.offset; }));
  line("SMSes", engine_.smses().size());
  line("submitted", submits_);
  line("too late", expired_);
  line("of clients not served", refused_);
  line("dead letters", letters_);
  line("given up before they left", unknown_);
  line("words lost in kills", unheard_);
  line("producers made anew", engine_.remade());
  line("kills", gateway_kills_ + broker_kills_);
  std::cout << "\n";
  moments_.Print(std::cout);
  std::cout << std::endl;
}

}  // namespace smsflow::crash
