// The old gateway against smsflowd, on a real broker: the exchanges of tests/wire/old-gateway.txt, all at once. The
// test says what that gateway says, byte for byte, and looks at what it is handed.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/kafka/broker.h"
#include "tests/server/kafka/kafka_site.h"

namespace smsflow::server {
namespace {

struct Handed {
  std::string record;             // as it is to be
  std::vector<std::string> says;  // after it
};

struct Exchange {
  std::vector<Handed> handed;
  std::string end;
  std::size_t times = 0;
};

// By the SMS's payload.
std::map<std::string, Exchange> ReadExchanges() {
  std::map<std::string, Exchange> all;
  std::ifstream file("tests/wire/old-gateway.txt");
  Exchange* now = nullptr;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("### ")) now = &all[line.substr(4)];
    if (line.starts_with("SEND ")) now->handed.push_back({line.substr(5), {}});
    if (line.starts_with("SAYS ")) now->handed.back().says.push_back(line.substr(5));
    if (line.starts_with("END ")) std::istringstream(line.substr(4)) >> now->end >> now->times;
  }
  return all;
}

class OldGateway {
 public:
  explicit OldGateway(KafkaSite& site) : site_(site), exchanges_(ReadExchanges()) {}

  const std::map<std::string, Exchange>& exchanges() const { return exchanges_; }
  const std::map<std::string, std::size_t>& times() const { return times_; }

  // Answers what came since last time; true once each SMS was handed over as often as it should be.
  bool Answer() {
    for (const auto& seen : site_.All(site_.send))
      if (answered_.insert({seen.partition, seen.offset}).second) Take(seen.value);
    return std::all_of(exchanges_.begin(), exchanges_.end(),
                       [&](const auto& one) { return times_[one.first] >= one.second.times; });
  }

 private:
  void Take(const std::string& record) {
    static const std::regex kRecord(
        R"re(\{"correl-id":"([0-9a-f-]{36})\.\d+","client-id":"acme","deadline":"([^"]+)","payload":"([a-z0-9-]+)"\})re");
    std::smatch parts;
    ASSERT_TRUE(std::regex_match(record, parts, kRecord)) << record;
    const std::string id = parts[1], deadline = parts[2], name = parts[3];
    const std::vector<Handed>& handed = exchanges_.at(name).handed;
    const std::size_t turn = times_[name]++;
    ASSERT_LT(turn, handed.size()) << name << " is handed over once too often";
    EXPECT_EQ(record, absl::StrReplaceAll(handed[turn].record, {{"<ID>", id}, {"<time>", deadline}}));
    for (const std::string& word : handed[turn].says)
      site_.Produce(site_.status, {"", absl::StrReplaceAll(word, {{"<ID>", id}}), {}}, 0);
  }

  KafkaSite& site_;
  std::map<std::string, Exchange> exchanges_;
  std::map<std::string, std::size_t> times_;
  std::set<std::pair<std::int32_t, std::int64_t>> answered_;
};

TEST(KafkaOldGateway, ItsWordsComeToWhatTheyAlwaysMeant) {
  KafkaSite site(
      kafka::SharedBroker(), "",
      "[gateway]\ndedupe = false\n[delivery]\nmax_jitter = \"0s\"\nwait_after_fail = \"100ms\"\nmax_attempts = 2\n");
  OldGateway gateway(site);
  ASSERT_GE(gateway.exchanges().size(), 11U);
  site.Start();
  const std::string slot = SlotNow();
  for (const auto& [name, exchange] : gateway.exchanges())
    site.Produce(site.schedule,
                 {"",
                  absl::StrCat(R"({"action":"schedule","client":"acme","key":")", name, R"(","target":")", name,
                               R"(","schedule":")", slot, R"(","message":")", name, "\"}"),
                  {}});
  ASSERT_TRUE(site.Applied(site.schedule));
  EXPECT_TRUE(kafka::Within(120, [&] { return gateway.Answer(); }));
  ASSERT_TRUE(site.Applied(site.status));
  // A new start hands nothing over again, whatever was said or not.
  site.Stop();
  site.Start();
  ASSERT_TRUE(site.Says("ready"));
  ASSERT_TRUE(site.Applied(site.status));
  gateway.Answer();
  site.Stop();
  const auto stored = site.Stored();
  EXPECT_EQ(stored.size(), gateway.exchanges().size());
  for (const auto& [name, exchange] : gateway.exchanges()) {
    const auto found = stored.find(name);
    ASSERT_NE(found, stored.end()) << name;
    EXPECT_EQ(workflows::delivery::NameOf(found->second), exchange.end) << name;
    EXPECT_EQ(gateway.times().at(name), exchange.times) << name;
  }
  EXPECT_TRUE(site.All(site.dead).empty()) << "a word that is not for it is no wrong record";
}

}  // namespace
}  // namespace smsflow::server
