// What the configuration takes, where each value comes from, and the exact line that each mistake gets.
#include "server/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "logging/exit_codes.h"
#include "server/flags.h"

namespace smsflow::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kSha[] = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() : path_(testing::TempDir() + "config-" + std::to_string(getpid()) + ".toml") {}
  ~ConfigTest() override { std::remove(path_.c_str()); }

  // Of a file with these lines, upon a base that is right. Its path is cut from errors and origins.
  LoadedConfig Load(const std::string& text, ConfigSources sources = {}) {
    std::ofstream(path_) << text;
    sources.file = path_;
    LoadedConfig loaded = LoadConfig(sources);
    for (std::string& line : loaded.errors) Cut(line);
    for (auto& [key, origin] : loaded.origins) Cut(origin);
    return loaded;
  }
  void Cut(std::string& line) const {
    for (std::size_t at; (at = line.find(path_)) != std::string::npos;) line.replace(at, path_.size(), "F");
  }

  std::string path_;
};

std::string Dotted(int dots) {
  std::string key = "a";
  for (int i = 0; i < dots; ++i) key += ".a";
  return key;
}

std::string Base() { return "[listen]\nplaintext = true\n"; }

TEST_F(ConfigTest, DefaultsNeedOnlyAWayToListen) {
  const LoadedConfig loaded = Load(Base());
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_EQ(loaded.config.listen.grpc, "127.0.0.1:7070");
  EXPECT_EQ(loaded.config.limits.payload_bytes, 16'384u);
  EXPECT_EQ(loaded.config.delivery, workflows::delivery::Policy{});
  EXPECT_TRUE(loaded.config.sync);
}

TEST_F(ConfigTest, LaterSourcesOutrankEarlierOnesAndOriginsTell) {
  ConfigSources sources;
  sources.environment = {{"SMSFLOW_LOG_LEVEL", "debug"},      {"SMSFLOW_DATA", "/env"},   {"PATH", "/bin"},
                         {"SMSFLOW_TOKEN", "secret"},         {"SMSFLOW_TENANT", "demo"}, {"SMSFLOW_CA", "ca.pem"},
                         {"SMSFLOW_LISTEN_PLAINTEXT", "true"}};
  sources.flags = {{{"data"}, "/flag", true, "flag --data"}, {{"engine", "partitions"}, "3", true, "flag --set"}};
  const LoadedConfig loaded = Load("data = \"/file\"\nshards = 8\n", sources);
  EXPECT_THAT(loaded.errors, IsEmpty());
  EXPECT_EQ(loaded.config.data, "/flag");
  EXPECT_EQ(loaded.config.shards, 8u);
  EXPECT_EQ(loaded.config.log.level, "debug");
  EXPECT_EQ(loaded.config.engine.partitions, 3u);
  EXPECT_EQ(loaded.origins.at("data"), "flag --data");
  EXPECT_EQ(loaded.origins.at("shards"), "F:2:1");
  EXPECT_EQ(loaded.origins.at("log.level"), "environment SMSFLOW_LOG_LEVEL");
}

TEST_F(ConfigTest, TenantsStandUponTheDeliverySection) {
  const LoadedConfig loaded = Load(Base() + R"(
[tenant.acme]
max_attempts = 2
on_unknown = "retry"
[tenant."b.c"]
wait_after_fail = "250ms"
[delivery]
wait_after_fail = "1s"
retention = "30d"
)");
  ASSERT_THAT(loaded.errors, IsEmpty());
  const auto& acme = loaded.config.tenants.at("acme");
  EXPECT_EQ(acme.wait_after_fail_ms, 1'000);
  EXPECT_EQ(acme.max_attempts, 2u);
  EXPECT_EQ(acme.on_unknown, workflows::delivery::OnUnknown::kRetry);
  EXPECT_EQ(loaded.config.tenants.at("b.c").wait_after_fail_ms, 250);
  EXPECT_EQ(loaded.config.delivery.retention_ms, 30LL * 86'400'000);
}

TEST_F(ConfigTest, Credentials) {
  const LoadedConfig loaded = Load(Base() + "[[key]]\nname = \"crm\"\nsha256 = \"" + kSha +
                                   "\"\nrole = [\"client\", \"admin\"]\ntenants = [\"acme\", \"beta\"]\n");
  ASSERT_THAT(loaded.errors, IsEmpty());
  ASSERT_EQ(loaded.config.keys.size(), 1u);
  EXPECT_EQ(loaded.config.keys[0].name, "crm");
  EXPECT_EQ(loaded.config.keys[0].roles, kClient | kAdmin);
  EXPECT_EQ(loaded.config.keys[0].sha256[0], 0x9f);
  EXPECT_THAT(loaded.config.TenantNames(), ElementsAre("acme", "beta"));
}

// A [[key]] of the role gateway; `more` are lines of it.
std::string GatewayKey(char digit, const std::string& more = "") {
  return std::string("[[key]]\nname = \"g") + digit + "\"\nsha256 = \"" + std::string(64, digit) +
         "\"\nrole = \"gateway\"\ntenants = [\"acme\"]\n" + more;
}

TEST_F(ConfigTest, AGatewaysKeySaysAsWhomItAttachesUnlessItIsAlone) {
  EXPECT_THAT(Load(Base() + GatewayKey('1')).errors, IsEmpty());
  const LoadedConfig named = Load(Base() + GatewayKey('1', "gateways = [\"main\", \"spare\"]\n"));
  ASSERT_THAT(named.errors, IsEmpty());
  EXPECT_THAT(named.config.keys[0].gateways, ElementsAre("main", "spare"));
  // Two keys of one gateway, as while a token is being replaced.
  EXPECT_THAT(
      Load(Base() + GatewayKey('1', "gateways = [\"main\"]\n") + GatewayKey('2', "gateways = [\"main\"]\n")).errors,
      IsEmpty());
  constexpr char kMissing[] = ".gateways is missing: there is another gateway, so each must say as whom it attaches";
  EXPECT_THAT(Load(Base() + GatewayKey('1') + GatewayKey('2', "gateways = [\"main\"]\n")).errors,
              ElementsAre(HasSubstr(std::string("key.0") + kMissing)));
  EXPECT_THAT(Load(Base() + "[loopback]\nenabled = true\n" + GatewayKey('1')).errors,
              ElementsAre(HasSubstr(std::string("key.0") + kMissing)));
  EXPECT_THAT(Load(Base() + "[loopback]\nenabled = true\n" + GatewayKey('1', "gateways = [\"loopback\"]\n")).errors,
              ElementsAre(HasSubstr("key.0.gateways holds loopback.gateway")));
  EXPECT_THAT(Load(Base() + GatewayKey('1', "gateways = []\n")).errors,
              ElementsAre(HasSubstr("key.0.gateways must name at least one")));
  EXPECT_THAT(Load(Base() + GatewayKey('1', "gateways = [\"a b\"]\n")).errors,
              testing::Contains(HasSubstr("key.0.gateways must be a list of names")));
  EXPECT_THAT(
      Load(Base() + "[[key]]\nname = \"a\"\nrole = \"admin\"\ngateways = [\"g\"]\nsha256 = \"" + kSha + "\"\n").errors,
      ElementsAre(HasSubstr("key.0.gateways is for the role gateway alone")));
}

TEST_F(ConfigTest, NobodyDeduplicatesForAGatewayThatCannot) {
  const std::string old = Base() + "[gateway]\ndedupe = false\n";
  const LoadedConfig good = Load(old + "[tenant.acme]\ndedupe = false\n[tenant.lab]\nprobe = \"2s\"\n");
  EXPECT_THAT(good.errors, IsEmpty());
  EXPECT_FALSE(good.config.delivery.dedupe);
  EXPECT_FALSE(good.config.tenants.at("lab").dedupe);
  constexpr char kRule[] = ".dedupe cannot be true together with gateway.dedupe = false";
  EXPECT_THAT(
      Load(old + "[delivery]\ndedupe = true\n[tenant.acme]\ndedupe = true\n[tenant.lab]\ndedupe = false\n").errors,
      ElementsAre(HasSubstr(std::string("delivery") + kRule), HasSubstr(std::string("tenant.acme") + kRule)));
  EXPECT_THAT(Load(Base() + "[delivery]\ndedupe = false\n[tenant.acme]\ndedupe = true\n").errors, IsEmpty());
}

TEST_F(ConfigTest, TopicsOfKafkaAreOneForEachKindAndSignersHaveKeys) {
  const std::string kafka = "[kafka]\nservers = \"b:9092\"\n";
  const LoadedConfig good = Load(Base() + kafka + "signing_keys = \"/k\"\n[kafka.signers]\nportal = [\"acme\"]\n" +
                                 "[kafka.clients]\nof-lab = [\"lab\"]\n");
  EXPECT_THAT(good.errors, IsEmpty());
  EXPECT_EQ(good.config.kafka.signers.at("portal"), std::vector<std::string>{"acme"});
  EXPECT_THAT(PrintConfig(good), HasSubstr("[kafka.signers]\n\"portal\" = [\"acme\"]"));
  EXPECT_THAT(Load(Base() + kafka + "timer_topic = \"schedule-sms\"\n").errors,
              ElementsAre(HasSubstr("kafka.timer_topic is the topic of kafka.schedule_topic too")));
  EXPECT_THAT(Load(Base() + kafka + "[kafka.clients]\nsms-status = [\"lab\"]\n").errors,
              ElementsAre(HasSubstr("kafka.clients.sms-status is the topic of kafka.status_topic too")));
  EXPECT_THAT(Load(Base() + kafka + "[limits]\npayload = \"97KB\"\n").errors,
              ElementsAre(HasSubstr("limits.payload must be at most 96KB where kafka.servers is set")));
  EXPECT_THAT(Load(Base() + "[limits]\npayload = \"97KB\"\n").errors, IsEmpty());
  EXPECT_THAT(Load(Base() + kafka + "[kafka.signers]\nportal = [\"acme\"]\n").errors,
              ElementsAre(HasSubstr("kafka.signing_keys is missing: kafka.signers need their keys")));
  EXPECT_THAT(Load(Base() + kafka + "signing_keys = \"/k\"\n[kafka.signers]\n\"a b\" = [\"acme\"]\n").errors,
              ElementsAre(HasSubstr("kafka.signers must be NAME = [")));
}

TEST_F(ConfigTest, PrintedConfigTellsOriginsAndNoSecretAndIsRightItself) {
  const LoadedConfig loaded =
      Load(Base() + "[delivery]\nmax_jitter = \"0ms\"\n[tenant.acme]\nprobe = \"2s\"\n[[key]]\n" +
           "name = \"a\"\nrole = \"admin\"\nsha256 = \"" + kSha + "\"\n");
  ASSERT_THAT(loaded.errors, IsEmpty());
  const std::string printed = PrintConfig(loaded);
  EXPECT_THAT(printed, HasSubstr("max_jitter = \"0ms\"  # F:4:1\n"));
  EXPECT_THAT(printed, HasSubstr("wait_after_fail = \"10m\"  # default\n"));
  EXPECT_THAT(printed, HasSubstr("[tenant.\"acme\"]\nprobe = \"2s\"  # F:6:1\n"));
  EXPECT_THAT(printed, HasSubstr("sha256 = \"***\""));
  EXPECT_THAT(printed, Not(HasSubstr("9f86d0")));
  // Read again it says the same, but for what was hidden.
  EXPECT_THAT(Load(printed).errors, ElementsAre(HasSubstr("key.0.sha256 must be the SHA-256 of the token")));
}

struct Mistake {
  std::string text;
  std::string line;
};
class ConfigMistakes : public ConfigTest, public ::testing::WithParamInterface<Mistake> {};

TEST_P(ConfigMistakes, EachGetsOneLineThatNamesPlaceKeyAndRule) {
  EXPECT_THAT(Load(GetParam().text).errors, ElementsAre(GetParam().line));
}

INSTANTIATE_TEST_SUITE_P(
    All, ConfigMistakes,
    ::testing::Values(
        Mistake{"listen.plaintext = true\nshard = 3\n", "F:2:1: unknown key shard"},
        Mistake{"listen.plaintext = true\n[delivery]\n  wait = \"1s\"\n", "F:3:3: unknown key delivery.wait"},
        Mistake{"listen.plaintext = true\n[tenant.acme]\nwait = \"1s\"\n", "F:3:1: unknown key tenant.acme.wait"},
        Mistake{"listen.plaintext = true\n[delivry]\n", "F:2:2: unknown key delivry"},
        Mistake{
            "listen.plaintext = true\n[delivery]\nwait_after_fail = 600\n",
            "F:3:1: delivery.wait_after_fail must be a duration like \"10m\" (units ms, s, m, h, d), from 1ms to 30d"},
        Mistake{
            "listen.plaintext = true\n[delivery]\nwait_after_fail = \"31d\"\n",
            "F:3:1: delivery.wait_after_fail must be a duration like \"10m\" (units ms, s, m, h, d), from 1ms to 30d"},
        Mistake{"listen.plaintext = true\nshards = 0\n", "F:2:1: shards must be a whole number from 1 to 4096"},
        Mistake{"listen.plaintext = true\nshards = 1.5\n", "F:2:1: shards must be a whole number from 1 to 4096"},
        Mistake{"listen.plaintext = true\n[limits]\npayload = 16\n",
                "F:3:1: limits.payload must be a size like \"64MB\" (units B, KB, MB, GB), from 1B to 1MB"},
        Mistake{"listen.plaintext = \"yes\"\ntls.cert = \"c\"\ntls.key = \"k\"\n",
                "F:1:8: listen.plaintext must be true or false"},
        Mistake{"listen.plaintext = true\n[log]\nformat = \"xml\"\n",
                "F:3:1: log.format must be one of \"text\", \"json\""},
        Mistake{"listen.plaintext = true\nlisten.grpc = \"7070\"\n",
                "F:2:8: listen.grpc must be \"HOST:PORT\" or \"unix:/PATH\""},
        Mistake{"listen.plaintext = true\nlisten.grpc = \"0.0.0.0:7070\"\n",
                "F:1:8: listen.plaintext is only for a loopback address or a unix socket in listen.grpc"},
        Mistake{"listen.grpc = \"0.0.0.0:7070\"\n",
                "F:1:8: listen.grpc is neither loopback nor a unix socket: it needs tls.cert and tls.key"},
        Mistake{"shards = 64\n", "default: listen.grpc needs tls.cert and tls.key, or listen.plaintext = true"},
        Mistake{"tls.cert = \"c\"\n", "F:1:5: tls.key is missing: certificate and key come together"},
        Mistake{"tls.cert = \"c\"\ntls.key = \"k\"\nlisten.plaintext = true\n",
                "F:3:8: listen.plaintext cannot be true together with tls.cert"},
        Mistake{"listen.plaintext = true\nlisten.metrics = \"0.0.0.0:7071\"\n",
                "F:2:8: listen.metrics must be a loopback address: it has no TLS"},
        Mistake{"listen.plaintext = true\n[[key]]\nrole = \"admin\"\nname = \"a\"\n", "F:3:1: key.0.sha256 is missing"},
        Mistake{"listen.plaintext = true\n[[key]]\nrole = \"root\"\nname = \"a\"\nsha256 = "
                "\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"\n",
                "F:3:1: key.0.role must be \"client\", \"gateway\" or \"admin\", or a list of them"},
        Mistake{"listen.plaintext = true\n[[key]]\nrole = \"client\"\nname = \"a\"\nsha256 = "
                "\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"\n",
                "F:3:1: key.0.tenants is missing: a client or gateway acts for at least one"},
        Mistake{"listen.plaintext = true\n[[key]]\nrole = \"admin\"\nname = \"a\"\nsha256 = \"abc\"\n",
                "F:5:1: key.0.sha256 must be the SHA-256 of the token, 64 hexadecimal digits"},
        Mistake{"listen.plaintext = true\n[tenant.\"a b\"]\nprobe = \"1s\"\n",
                "F:3:1: tenant must be a name of 1 to 64 characters of A-Z a-z 0-9 . _ -"},
        Mistake{"listen.plaintext = true\nshards = \n",
                "F:2:10: not TOML: Error while parsing key-value pair: expected value"},
        Mistake{"listen.plaintext = true\ndata = 12345678901234567890123\n",
                "F:2:31: not TOML: Error while parsing decimal integer: a number is not representable in 64 bits"},
        Mistake{"listen.plaintext = 2026-13-01\n",
                "F:1:27: not TOML: Error while parsing date: expected month between 1 and 12 (inclusive)"},
        Mistake{"listen.plaintext = true\n[tenant]\n[tenant]\n",
                "F:3:1: not TOML: Error while parsing table header: cannot redefine existing table 'tenant'"},
        Mistake{"listen.plaintext = true\n[4915112345678]\n[4915112345678]\n",
                "F:3:1: not TOML: Error while parsing table header: cannot redefine existing table what stands here"},
        Mistake{"listen.plaintext = true\n[" + std::string(600, 'x') + "]\n[" + std::string(600, 'x') + "]\n",
                "F:3:1: not TOML: Error while parsing table header: cannot redefine existing table what stands here"},
        Mistake{"listen.plaintext = true\n" + Dotted(100) + " = 1\n", "F:2:33: unknown key " + Dotted(16)},
        Mistake{"listen.plaintext = true\n" + Dotted(129) + " = 1\n",
                "F:2:1: not TOML: more than 128 dots in one line, outside of texts"}));

TEST_F(ConfigTest, RestNeedsAWayToListen) {
  const std::string key = std::string("[[key]]\nname = \"a\"\nrole = \"admin\"\nsha256 = \"") + kSha + "\"\n";
  const std::string tls = "tls.cert = \"c\"\ntls.key = \"k\"\nlisten.grpc = \"0.0.0.0:1\"\n";
  EXPECT_THAT(Load("listen.plaintext = true\nlisten.rest = \"127.0.0.1:0\"\n").errors, IsEmpty());
  EXPECT_THAT(Load("listen.plaintext = true\nlisten.rest = \"127.0.0.1:0\"\n" + key).errors, IsEmpty());
  EXPECT_THAT(Load("listen.plaintext = true\nlisten.rest = \"0.0.0.0:0\"\n" + key).errors,
              ElementsAre("F:2:8: listen.rest is neither loopback nor a unix socket: it needs tls.cert and tls.key"));
  EXPECT_THAT(Load(tls + "listen.rest = \"0.0.0.0:0\"\n" + key).errors, IsEmpty());
  EXPECT_THAT(Load(tls + "listen.rest = \"unix:/s\"\nlisten.rest_plaintext = true\n" + key).errors, IsEmpty());
  EXPECT_THAT(
      Load(tls + "listen.rest = \"0.0.0.0:0\"\nlisten.rest_plaintext = true\n" + key).errors,
      ElementsAre("F:5:8: listen.rest_plaintext is only for a loopback address or a unix socket in listen.rest"));
  EXPECT_THAT(Load(Base() + "rest_plaintext = true\n").errors,
              ElementsAre(HasSubstr("listen.rest_plaintext needs listen.rest")));
}

TEST_F(ConfigTest, TheOffsetOfRest) {
  for (const auto& [text, minutes] : {std::pair("Z", 0), std::pair("+03:00", 180), std::pair("-09:30", -570)}) {
    const LoadedConfig loaded = Load(Base() + "[rest]\ntime_zone = \"" + text + "\"\n");
    ASSERT_THAT(loaded.errors, IsEmpty()) << text;
    EXPECT_EQ(loaded.config.rest.offset_minutes, minutes);
    EXPECT_THAT(PrintConfig(loaded), HasSubstr(std::string("time_zone = \"") + text + "\""));
  }
  for (const char* wrong : {"", "z", "+3:00", "03:00", "+03:60", "+18:01", "+0300", "Europe/Berlin"}) {
    EXPECT_THAT(Load(Base() + "[rest]\ntime_zone = \"" + wrong + "\"\n").errors,
                ElementsAre(HasSubstr("rest.time_zone must be \"Z\", or an offset from UTC like \"+03:00\"")))
        << wrong;
  }
}

TEST_F(ConfigTest, OneTokenOrNameInTwoKeysIsAMistake) {
  const std::string key = std::string("[[key]]\nname = \"a\"\nrole = \"admin\"\nsha256 = \"") + kSha + "\"\n";
  EXPECT_THAT(Load(Base() + key + key).errors,
              ElementsAre(HasSubstr("key.1.sha256 stands in two keys"), HasSubstr("key.1.name stands in two keys")));
}

TEST_F(ConfigTest, AnErrorIsOneLineWhateverItQuotes) {
  for (const char* text : {"[tls]\nplaintext = tr\nu#", "a = tr\n", "reflection = \"\\n\"\n", "data = 1\r\nx"}) {
    const LoadedConfig loaded = Load(text);
    EXPECT_FALSE(loaded.errors.empty()) << text;
    for (const std::string& error : loaded.errors) EXPECT_EQ(error.find('\n'), std::string::npos) << error;
  }
}

TEST_F(ConfigTest, EveryMistakeIsTold) {
  EXPECT_THAT(Load("listen.plaintext = true\nshards = 0\nx = 1\n").errors,
              ElementsAre("F:2:1: shards must be a whole number from 1 to 4096", "F:3:1: unknown key x"));
}

TEST_F(ConfigTest, AFileThatIsNotThereIsNamed) {
  ConfigSources sources;
  sources.file = path_ + ".not-there";
  EXPECT_THAT(LoadConfig(sources).errors, testing::Contains(sources.file + ": cannot be read"));
}

TEST_F(ConfigTest, AVariableThatStandsForNothingIsAnError) {
  ConfigSources sources;
  sources.environment = {{"SMSFLOW_SHARD", "3"}, {"SMSFLOW_SHARDS", "many"}};
  EXPECT_THAT(Load(Base(), sources).errors,
              ElementsAre("environment SMSFLOW_SHARD: stands for no key",
                          "environment SMSFLOW_SHARDS: shards must be a whole number from 1 to 4096"));
}

TEST(SettingTest, DurationsAndSizes) {
  EXPECT_EQ(ParseDuration("10m"), 600'000);
  EXPECT_EQ(ParseDuration("1500ms"), 1'500);
  EXPECT_EQ(ParseDuration("90 d"), 90LL * 86'400'000);
  for (const char* wrong : {"", "10", "m", "-1s", "1.5h", "1w", "99999999999999d", "1s "}) {
    EXPECT_EQ(ParseDuration(wrong), std::nullopt) << wrong;
  }
  EXPECT_EQ(FormatDuration(90'000), "90s");
  EXPECT_EQ(FormatDuration(0), "0ms");
  EXPECT_EQ(ParseSize("16 KB"), 16'384u);
  EXPECT_EQ(ParseSize("16kb"), std::nullopt);
  EXPECT_EQ(FormatSize(16'384), "16KB");
}

TEST(FlagsTest, KeysSwitchesAndMistakes) {
  const char* arguments[] = {"smsflowd",          "--config",    "f.toml",        "--grpc",
                             "unix:/run/s",       "--plaintext", "--no-sync",     "--set",
                             "delivery.probe=1s", "--set",       "log.level=off", "--new-folder"};
  const ParsedFlags parsed = ParseFlags(std::size(arguments), arguments, "other.toml");
  ASSERT_FALSE(parsed.exit_code.has_value());
  EXPECT_EQ(parsed.flags.file, "f.toml");
  EXPECT_TRUE(parsed.flags.no_sync);
  EXPECT_TRUE(parsed.flags.new_folder);
  ASSERT_EQ(parsed.flags.settings.size(), 4u);
  EXPECT_EQ(parsed.flags.settings[0].Name(), "listen.grpc");
  EXPECT_EQ(parsed.flags.settings[2].Name(), "delivery.probe");
  EXPECT_EQ(parsed.flags.settings[2].origin, "flag --set");

  const char* wrong[] = {"smsflowd", "--set", "delivery.probe"};
  EXPECT_EQ(ParseFlags(std::size(wrong), wrong, "").exit_code, kExitUsage);
  const char* unknown[] = {"smsflowd", "--frobnicate"};
  EXPECT_EQ(ParseFlags(std::size(unknown), unknown, "").exit_code, kExitUsage);
}

TEST(AddressTest, LocalOnes) {
  for (const char* local : {"127.0.0.1:7070", "127.9.9.9:1", "[::1]:0", "localhost:1", "unix:/run/smsflow"}) {
    EXPECT_TRUE(IsLocalAddress(local)) << local;
  }
  for (const char* other : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "example.org:1", "127.evil.org:1"}) {
    EXPECT_FALSE(IsLocalAddress(other)) << other;
  }
}

}  // namespace
}  // namespace smsflow::server
