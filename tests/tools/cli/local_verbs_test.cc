#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "crypto/keys.h"
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

  std::string Read(const std::string& name) const {
    std::ifstream in(In(name));
    return {std::istreambuf_iterator<char>(in), {}};
  }

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
                     "--sender", "CLINIC", "--priority", "code", "--text", "Come on Monday"});
      ASSERT_EQ(person_.exit_code, 0) << person_.err.str();
      const std::string envelope = person_.out.str();
      Person gateway;
      gateway.in.str(envelope);
      gateway.Types({"unseal", "--private-key", name + ".key.pem", "--tenant", "demo", "--key", "a"});
      EXPECT_EQ(gateway.exit_code, 0) << gateway.err.str();
      EXPECT_EQ(gateway.out.str(), "To: +255123456789\nSender: CLINIC\nPriority: code\n\nCome on Monday\n");
      Person stranger;
      stranger.in.str(envelope);
      stranger.Types({"unseal", "--private-key", name + ".key.pem", "--tenant", "demo", "--key", "b"});
      EXPECT_EQ(stranger.exit_code, 2);
      EXPECT_EQ(stranger.err.str(),
                "smsflow: the envelope was sealed for another SMS: its sub is not this tenant/key\n");
    }
  }
}

TEST_F(LocalVerbs, MakeAStoreThatOpensBothFormats) {
  std::ofstream(In("password")) << "secret\nnever read\n";
  ASSERT_EQ(chmod(In("password").c_str(), 0600), 0);
  ASSERT_EQ(person_.Types({"keygen", In("gw"), "--rsa", "--p12", "--alias", "demo", "--password-file", In("password")})
                .exit_code,
            0)
      << person_.err.str();
  struct stat file {};
  ASSERT_EQ(stat(In("gw.p12").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
  for (const char* form : {"gw.jwk", "gw.pub64"}) {
    Person client;
    ASSERT_EQ(
        client.Types({"seal", "--old", "--pubkey", In(form), "--to", "+255123456789", "--text", "Come"}).exit_code, 0)
        << client.err.str();
    EXPECT_EQ(client.out.str().substr(0, 3), "ENC");
    const auto unseal = [&](std::vector<std::string> more) {
      Person gateway;
      gateway.in.str(client.out.str());
      more.insert(more.begin(),
                  {"unseal", "--private-key", In("gw.p12"), "--password-file", In("password"), "--tenant", "demo"});
      gateway.Types(more);
      return std::pair(gateway.exit_code, gateway.out.str() + gateway.err.str());
    };
    EXPECT_EQ(unseal({"--old"}), std::pair(0, std::string("To: +255123456789\n\nCome\n")));
    EXPECT_EQ(
        unseal({}),
        std::pair(4, std::string("smsflow: the envelope has the old format, which this gateway does not take\n")));
  }
  Person wrong;
  wrong.in.str("ENCB");
  EXPECT_EQ(wrong.Types({"unseal", "--private-key", In("gw.p12"), "--tenant", "demo"}).exit_code, 2);
  EXPECT_EQ(wrong.err.str(),
            "smsflow: " + In("gw.p12") + ": the password of the PKCS#12 store is wrong, or the store was changed\n");
}

TEST_F(LocalVerbs, PublishKeysAndSealForThem) {
  ASSERT_EQ(person_.Types({"keygen", In("new")}).exit_code, 0);
  ASSERT_EQ(person_.Types({"keygen", In("old"), "--json"}).exit_code, 0);
  Person admin;
  ASSERT_EQ(admin.Types({"jwks", In("new.key.pem"), In("old.pub.pem"), In("new.jwk")}).exit_code, 0) << admin.err.str();
  const std::string set = admin.out.str();
  EXPECT_EQ(set.find("\"d\""), std::string::npos);
  std::ofstream(In("keys.jwks")) << set;
  const std::string old_kid = crypto::PublicKey::FromFile(Read("old.jwk")).value().kid();
  const auto sealed = [&](std::vector<std::string> more) {
    Person client;
    more.insert(more.begin(),
                {"seal", "--pubkey", In("keys.jwks"), "--tenant", "demo", "--to", "+255123456789", "--text", "Come"});
    EXPECT_EQ(client.Types(more).exit_code, 0) << client.err.str();
    return client.out.str();
  };
  const auto opens = [&](const std::string& name, const std::string& envelope) {
    Person gateway;
    gateway.in.str(envelope);
    return gateway.Types({"unseal", "--private-key", In(name + ".key.pem"), "--tenant", "demo"}).exit_code;
  };
  EXPECT_EQ(opens("new", sealed({})), 0) << "the first of the set";
  EXPECT_EQ(opens("old", sealed({"--kid", old_kid})), 0);
  EXPECT_EQ(opens("old", sealed({})), 3) << "it is for a key that is not there";
  Person lost;
  EXPECT_EQ(lost.Types({"seal", "--pubkey", In("keys.jwks"), "--kid", "x", "--tenant", "demo", "--to", "+255123456789",
                        "--text", "Come"})
                .exit_code,
            2);
  EXPECT_EQ(lost.err.str(), "smsflow: --kid: no key in " + In("keys.jwks") + " has it\n");
}

TEST_F(LocalVerbs, RefuseAPrivateKeyThatOthersCanRead) {
  ASSERT_EQ(person_.Types({"keygen", In("gw")}).exit_code, 0);
  ASSERT_EQ(chmod(In("gw.key.pem").c_str(), 0640), 0);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"jwks", In("gw.key.pem")},
        std::vector<std::string>{"unseal", "--private-key", In("gw.key.pem"), "--tenant", "demo"}}) {
    Person admin;
    EXPECT_EQ(admin.Types(words).exit_code, 4);
    EXPECT_EQ(admin.err.str(), "smsflow: " + In("gw.key.pem") + ": others can read this private key; chmod 600 it\n");
  }
}

TEST_F(LocalVerbs, MakeAStoreOnlyWithItsNameAndPassword) {
  EXPECT_EQ(person_.Types({"keygen", In("gw"), "--p12"}).exit_code, 2);
  EXPECT_EQ(person_.Types({"keygen", In("gw"), "--alias", "demo"}).exit_code, 2);
  std::ofstream(In("password")) << "\n";
  ASSERT_EQ(chmod(In("password").c_str(), 0600), 0);
  EXPECT_EQ(
      person_.Types({"keygen", In("gw"), "--p12", "--alias", "demo", "--password-file", In("password")}).exit_code, 2);
  EXPECT_EQ(person_.err.str(), "smsflow: " + In("password") + ": its first line must hold the password\n");
  EXPECT_FALSE(std::filesystem::exists(In("gw.p12")));
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
  EXPECT_EQ(seal({"--to", "+255123456789", "--text", "x", "--priority", "urgent"}),
            "smsflow: priority: must be code, transactional or bulk\n");
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
