#include "gateway/audit_log.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/gateway/fakes.h"

namespace smsflow::gateway {
namespace {

class AuditLogTest : public testing::Test {
 protected:
  AuditLogTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "smsflow-audit-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~AuditLogTest() override { std::filesystem::remove_all(folder_); }
  std::string Read(const std::string& name) const {
    std::ifstream file(folder_ + "/log/" + name);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  std::string folder_;
};

TEST_F(AuditLogTest, HasAFileForEachTenantAndALineForEachWord) {
  const auto log = AuditLog::Open(folder_ + "/log");
  ASSERT_TRUE(log.ok()) << log.status();
  const Report sent{Attempt(1), Reported::kSent, About::kNotSaid, "", 1'795'251'600'123};
  const Report failed{Attempt(2), Reported::kFailedTransient, About::kRoute, "throttled", 1'795'251'601'004};
  ASSERT_TRUE(log->Append({{"clinic", sent}, {"other", failed}}).ok());
  ASSERT_TRUE(log->Append({{"clinic", failed}}).ok());
  EXPECT_EQ(Read("clinic.log"), "2026-11-21T09:00:00.123Z\t" + Attempt(1).ToString() + "\tSENT\t-\n" +
                                    "2026-11-21T09:00:01.004Z\t" + Attempt(2).ToString() + "\tFAILED\tthrottled\n");
  EXPECT_EQ(Read("other.log"), "2026-11-21T09:00:01.004Z\t" + Attempt(2).ToString() + "\tFAILED\tthrottled\n");
  struct stat file {};
  ASSERT_EQ(stat((folder_ + "/log/clinic.log").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
}

TEST_F(AuditLogTest, NoTenantsNameLeadsOutOfItsFolder) {
  EXPECT_EQ(AuditLog::FileNameOf("clinic-7_a.b"), "clinic-7_a.b.log");
  EXPECT_EQ(AuditLog::FileNameOf("../../etc/passwd"), "%2E.%2F..%2Fetc%2Fpasswd.log");
  EXPECT_EQ(AuditLog::FileNameOf("a b\n%"), "a%20b%0A%25.log");
  EXPECT_EQ(AuditLog::FileNameOf("\xc3\xbc"), "%C3%BC.log");
  EXPECT_EQ(AuditLog::FileNameOf(""), ".log");
}

TEST_F(AuditLogTest, MayBeMovedAwayAtAnyTime) {
  const auto log = AuditLog::Open(folder_ + "/log");
  ASSERT_TRUE(log.ok()) << log.status();
  const Report sent{Attempt(1), Reported::kSent, About::kNotSaid, "", 0};
  ASSERT_TRUE(log->Append({{"clinic", sent}}).ok());
  std::filesystem::rename(folder_ + "/log/clinic.log", folder_ + "/log/clinic.1");
  ASSERT_TRUE(log->Append({{"clinic", sent}}).ok());
  EXPECT_EQ(Read("clinic.log"), Read("clinic.1"));
}

TEST_F(AuditLogTest, SaysWhatCannotBeWrittenAndWritesTheRest) {
  const auto log = AuditLog::Open(folder_ + "/log");
  ASSERT_TRUE(log.ok()) << log.status();
  std::filesystem::create_directory(folder_ + "/log/a.log");
  const Report sent{Attempt(1), Reported::kSent, About::kNotSaid, "", 0};
  const absl::Status status = log->Append({{"a", sent}, {"b", sent}});
  EXPECT_EQ(std::string(status.message()).substr(0, 18), "audit: cannot open");
  EXPECT_NE(Read("b.log"), "");
  std::ofstream(folder_ + "/file") << "x";
  EXPECT_EQ(AuditLog::Open(folder_ + "/file").status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace smsflow::gateway
