#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/tools/cli/person.h"

namespace smsflow::cli {
namespace {

class LocalVerbs : public testing::Test {
 protected:
  LocalVerbs() {
    std::string pattern = (std::filesystem::temp_directory_path() / "smsflow-cli-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~LocalVerbs() override { std::filesystem::remove_all(folder_); }
  std::string In(const std::string& name) const { return folder_ + "/" + name; }

  std::string folder_;
  Person person_;
};

TEST_F(LocalVerbs, SealForAKeyThatKeygenMade) {
  for (const char* kind : {"--json", "--rsa"}) {
    const std::string name = In(std::string("gw") + kind);
    ASSERT_EQ(person_.Types({"keygen", name, kind}).exit_code, 0) << person_.err.str();
    struct stat file {};
    ASSERT_EQ(stat((name + ".key.pem").c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777, 0600u);
    for (const char* form : {".pub.pem", ".jwk"}) {
      person_.Types({"seal", "--pubkey", name + form, "--tenant", "demo", "--key", "a", "--to", "+255123456789",
                     "--sender", "CLINIC", "--text", "Come on Monday"});
      ASSERT_EQ(person_.exit_code, 0) << person_.err.str();
      const std::string envelope = person_.out.str();
      Person gateway;
      gateway.in.str(envelope);
      gateway.Types({"unseal", "--private-key", name + ".key.pem", "--tenant", "demo", "--key", "a"});
      EXPECT_EQ(gateway.exit_code, 0) << gateway.err.str();
      EXPECT_EQ(gateway.out.str(), "To: +255123456789\nSender: CLINIC\n\nCome on Monday\n");
      Person stranger;
      stranger.in.str(envelope);
      stranger.Types({"unseal", "--private-key", name + ".key.pem", "--tenant", "demo", "--key", "b"});
      EXPECT_EQ(stranger.exit_code, 2);
      EXPECT_EQ(stranger.err.str(),
                "smsflow: the envelope was sealed for another SMS: its sub is not this tenant/key\n");
    }
  }
}

TEST_F(LocalVerbs, NeverOverwriteAKey) {
  ASSERT_EQ(person_.Types({"keygen", In("gw")}).exit_code, 0);
  EXPECT_EQ(person_.Types({"keygen", In("gw")}).exit_code, 4);
  EXPECT_EQ(person_.err.str(), "smsflow: " + In("gw.key.pem") + ": is there already; choose another name\n");
}

TEST_F(LocalVerbs, SayWhatIsWrongWithATextAndNeverWhatItIs) {
  ASSERT_EQ(person_.Types({"keygen", In("gw")}).exit_code, 0);
  const auto seal = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"seal", "--pubkey", In("gw.jwk"), "--tenant", "demo"});
    EXPECT_EQ(person_.Types(words).exit_code, 2);
    return person_.err.str();
  };
  EXPECT_EQ(seal({"--to", "0712345678", "--text", "x"}),
            "smsflow: to: must be + and 7 to 15 digits, the first not 0\n");
  EXPECT_EQ(seal({"--to", "+255123456789"}), "smsflow: text: must not be empty (--text or --text-file)\n");
  EXPECT_EQ(seal({"--to", "+255123456789", "--text", "x", "--sender", "a\nTo: +1"}),
            "smsflow: sender: must be one line of at most 64 bytes\n");
  EXPECT_EQ(seal({"--to", "+255123456789", "--text", "x", "--text-file", "y"}),
            "smsflow: --text, --text-file: give one of them\n");
}

TEST_F(LocalVerbs, DrawTheWorkflow) {
  EXPECT_EQ(person_.Types({"graph", "delivery"}).exit_code, 0);
  EXPECT_NE(person_.out.str().find("stateDiagram"), std::string::npos);
  EXPECT_NE(person_.out.str().find("IN_SLOT"), std::string::npos);
  EXPECT_EQ(person_.Types({"graph", "delivery", "--dot"}).exit_code, 0);
  EXPECT_EQ(person_.out.str().substr(0, 7), "digraph");
  EXPECT_EQ(person_.Types({"graph", "nothing"}).exit_code, 3);
}

TEST_F(LocalVerbs, CompleteInBashWhatThereIs) {
  ASSERT_EQ(person_.Types({"completion", "bash"}).exit_code, 0);
  std::ofstream(In("completion.bash")) << person_.out.str();
  const auto complete = [&](const std::string& words, int word) {
    const std::string command = "bash -c '. " + In("completion.bash") + "; COMP_WORDS=(" + words +
                                "); COMP_CWORD=" + std::to_string(word) + "; _smsflow; echo \"${COMPREPLY[*]}\"' > " +
                                In("out");
    EXPECT_EQ(std::system(command.c_str()), 0);
    std::ifstream in(In("out"));
    std::string line;
    std::getline(in, line);
    return line;
  };
  EXPECT_EQ(complete("smsflow res", 1), "reschedule resolve resume");
  EXPECT_EQ(complete("smsflow list --st", 2), "--state");
  EXPECT_EQ(complete("smsflow list --state DE", 3), "DELIVERED");
  EXPECT_EQ(complete("smsflow completion z", 2), "zsh");
  EXPECT_EQ(complete("smsflow --json watch --re", 3), "--resume");
  EXPECT_EQ(person_.Types({"completion", "zsh"}).out.str().substr(0, 16), "#compdef smsflow");
}

}  // namespace
}  // namespace smsflow::cli
