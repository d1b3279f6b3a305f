#include "gateway/key_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "crypto/keys.h"

namespace smsflow::gateway {
namespace {

constexpr char kGolden[] = "tests/crypto/golden/";

class KeyFilesTest : public testing::Test {
 protected:
  KeyFilesTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "smsflow-keys-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~KeyFilesTest() override { std::filesystem::remove_all(folder_); }

  std::string Write(const std::string& name, std::string_view contents, mode_t mode = 0600) const {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << contents;
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return path;
  }
  std::string WritePem(const std::string& name, mode_t mode = 0600) const {
    return Write(name, key_.ToPem().Reveal(), mode);
  }
  std::string Copy(const std::string& golden) const {
    const std::string path = folder_ + "/" + golden;
    std::filesystem::copy_file(kGolden + golden, path);
    EXPECT_EQ(chmod(path.c_str(), 0600), 0);
    return path;
  }

  std::string folder_;
  const crypto::PrivateKey key_ = crypto::PrivateKey::Generate(crypto::KeyKind::kP256);
};

TEST_F(KeyFilesTest, AreReadInTheirOrder) {
  const auto keys = LoadKeys({WritePem("a.pem"), Copy("old.p12")}, Write("password", "golden-password\nnever read\n"));
  ASSERT_TRUE(keys.ok()) << keys.status();
  ASSERT_EQ(keys->size(), 3u);
  EXPECT_EQ((*keys)[0].key.kid(), key_.kid());
  EXPECT_EQ((*keys)[1].alias, "demo");
  EXPECT_EQ((*keys)[2].alias, "clinic");
}

TEST_F(KeyFilesTest, OfAFolderAreThoseThatLookLikeOne) {
  WritePem("2026.key.pem");
  Copy("old.p12");
  Write("2026.pub.pem", key_.public_key().ToPem());
  Write("notes.txt", "where they came from", 0644);
  const auto keys = LoadKeys({folder_}, Write("password", "golden-password"));
  ASSERT_TRUE(keys.ok()) << keys.status();
  ASSERT_EQ(keys->size(), 3u);
  EXPECT_EQ((*keys)[0].key.kid(), key_.kid());
}

TEST_F(KeyFilesTest, ThatOthersCanReadAreRefused) {
  for (const mode_t mode : {0640u, 0604u, 0620u, 0602u, 0610u, 0644u}) {
    const std::string file = WritePem("gw.pem", mode);
    EXPECT_EQ(LoadKeys({file}).status(),
              absl::FailedPreconditionError(file + ": others can read this private key; chmod 600 it"))
        << mode;
  }
  EXPECT_TRUE(LoadKeys({WritePem("gw.pem", 0400)}).ok());
  EXPECT_EQ(LoadKeys({WritePem("gw.pem")}, Write("password", "x", 0644)).status().code(),
            absl::StatusCode::kFailedPrecondition)
      << "the password is as good as the key";
}

TEST_F(KeyFilesTest, EachMistakeNamesTheFileAndTheRule) {
  const auto refusal = [](const std::string& file, const std::string& password = "") {
    return std::string(LoadKeys({file}, password).status().message());
  };
  const std::string absent = folder_ + "/none.pem";
  EXPECT_EQ(refusal(absent).substr(0, absent.size() + 18), absent + ": cannot be opened");
  EXPECT_EQ(refusal("/dev/null"), "/dev/null: not a file with a key");
  const std::string large = Write("large.pem", std::string((1 << 20) + 1, 'x'));
  EXPECT_EQ(refusal(large), large + ": must be at most 1 MB");
  const std::string rubbish = Write("rubbish.pem", "rubbish");
  EXPECT_EQ(refusal(rubbish), rubbish + ": not a vault: expected PEM with BEGIN PRIVATE KEY, or a PKCS#12 store");
  const std::string store = Copy("old.p12");
  EXPECT_EQ(refusal(store), store + ": the password of the PKCS#12 store is wrong, or the store was changed");
  const std::string empty = Write("password", "\nsecret");
  EXPECT_EQ(refusal(store, empty), empty + ": its first line must hold the password");
}

}  // namespace
}  // namespace smsflow::gateway
