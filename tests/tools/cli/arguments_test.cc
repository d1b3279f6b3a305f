#include "tools/cli/arguments.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/tools/cli/person.h"

namespace smsflow::cli {
namespace {

TEST(Arguments, FillInWhatWasTyped) {
  const ParsedArguments parsed =
      ParseArguments({"schedule", "--at", "+0", "--batch", "b", "--key", "k", "--target", "t", "--payload-file", "f",
                      "--idempotency-key", "i", "--json", "--address", "localhost:1"});
  ASSERT_TRUE(parsed.run) << parsed.text;
  const Arguments& a = parsed.arguments;
  EXPECT_EQ(a.verb, Verb::kSchedule);
  EXPECT_EQ(a.schedule, "+0");
  EXPECT_EQ(a.batch + a.key + a.target + a.payload_file + a.idempotency_key, "bktfi");
  EXPECT_TRUE(a.json);
  EXPECT_EQ(a.connection.address, "localhost:1");
}

TEST(Arguments, TakeGlobalFlagsBeforeAndAfterTheVerb) {
  for (const auto& words : {std::vector<std::string>{"--json", "list", "--state", "PENDING,SENT"},
                            std::vector<std::string>{"list", "--state", "PENDING,SENT", "--json"}}) {
    const ParsedArguments parsed = ParseArguments(words);
    ASSERT_TRUE(parsed.run) << parsed.text;
    EXPECT_EQ(parsed.arguments.verb, Verb::kList);
    EXPECT_TRUE(parsed.arguments.json);
    EXPECT_EQ(parsed.arguments.filter.states, (std::vector<std::string>{"PENDING", "SENT"}));
  }
}

TEST(Arguments, ComeFromTheEnvironmentWhenNotTyped) {
  setenv("SMSFLOW_ADDRESS", "unix:/run/x", 1);
  setenv("SMSFLOW_TOKEN", "secret", 1);
  setenv("SMSFLOW_TENANT", "demo", 1);
  const auto from_environment = ParseArguments({"seal", "--pubkey", "p", "--to", "+1", "--text", "x"});
  const auto typed = ParseArguments({"list", "--address", "localhost:2"});
  const auto pause = ParseArguments({"pause", "--all"});
  unsetenv("SMSFLOW_ADDRESS");
  unsetenv("SMSFLOW_TOKEN");
  unsetenv("SMSFLOW_TENANT");
  ASSERT_TRUE(from_environment.run) << from_environment.text;
  EXPECT_EQ(from_environment.arguments.connection.address, "unix:/run/x");
  EXPECT_EQ(from_environment.arguments.connection.token, "secret");
  EXPECT_EQ(from_environment.arguments.tenant, "demo");
  EXPECT_EQ(typed.arguments.connection.address, "localhost:2");
  EXPECT_EQ(pause.arguments.of_tenant, "") << "a pause must be aimed by hand";
}

TEST(Arguments, ThatAreWrongGiveOneLineAndExitCode2) {
  for (const auto& [words, text] : std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"bogus"}, "smsflow: there is no verb 'bogus'; see smsflow --help\n"},
           {{"list", "--bogus"},
            "smsflow: The following argument was not expected: --bogus; see smsflow list --help\n"},
           {{"get"}, "smsflow: id is required; see smsflow get --help\n"},
           {{"--json"}, "smsflow: A subcommand is required; see smsflow --help\n"},
           {{"list", "--limit", "0"}, "smsflow: --limit: Value 0 not in range 1 to 1000000; see smsflow list --help\n"},
           {{"watch", "--expect", "3"}, "smsflow: --expect requires --live; see smsflow watch --help\n"}}) {
    Person person;
    person.Types(words);
    EXPECT_EQ(person.exit_code, 2);
    EXPECT_EQ(person.err.str(), text);
    EXPECT_EQ(person.out.str(), "");
  }
}

TEST(Arguments, ThatExcludeEachOtherAreRefused) {
  for (const auto& words : {std::vector<std::string>{"list", "--batch", "a", "--key", "b"},
                            std::vector<std::string>{"watch", "--target", "a", "--batch", "b"},
                            std::vector<std::string>{"replay", "--all", "id"}}) {
    const ParsedArguments parsed = ParseArguments(words);
    EXPECT_EQ(parsed.exit_code, 2);
    EXPECT_NE(parsed.text.find("excludes"), std::string::npos) << parsed.text;
  }
}

TEST(Help, ShowsEveryVerbAndTheExitCodes) {
  Person person;
  person.Types({"--help"});
  EXPECT_EQ(person.exit_code, 0);
  for (const VerbDescription& verb : DescribeVerbs()) {
    const std::string begin = "\n  " + verb.name;
    const bool shown = person.out.str().find(begin + " ") != std::string::npos ||
                       person.out.str().find(begin + ",") != std::string::npos;  // it has another name
    EXPECT_TRUE(shown) << verb.name;
  }
  EXPECT_NE(person.out.str().find("Exit codes: 0 fine"), std::string::npos);
  EXPECT_EQ(DescribeVerbs().size(), 32u);
  EXPECT_EQ(Person().Types({}).exit_code, 2);
  EXPECT_EQ(Person().Types({"--version"}).out.str(), "smsflow 0.1.0\n");
}

TEST(Help, OfAVerbIsAboutThatVerb) {
  const std::string help = Person().Types({"watch", "--help"}).out.str();
  EXPECT_NE(help.find("--resume TOKEN"), std::string::npos);
  EXPECT_EQ(help.find("To begin:"), std::string::npos);
}

}  // namespace
}  // namespace smsflow::cli
