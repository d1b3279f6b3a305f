#include "gateway/audit_log.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/gateway/fakes.h"

namespace smsflow::gateway {
namespace {

constexpr std::int64_t kAt = 1'795'251'600'123;  // 2026-11-21T09:00:00.123Z
const std::string kTime = "2026-11-21T09:00:00.123Z\t";
const std::string kOpened = kTime + "-\tOPENED\t-\n", kClosed = kTime + "-\tCLOSED\t-\n";

class AuditLogTest : public testing::Test {
 protected:
  AuditLogTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "smsflow-audit-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    clock_.now_ms = kAt;
    Open();
  }
  ~AuditLogTest() override {
    log_.reset();
    std::filesystem::remove_all(folder_);
  }
  void Open(std::int64_t file_bytes = 1 << 20, int files = 3) {
    log_.reset();
    auto log = AuditLog::Open({folder_ + "/log", file_bytes, files}, clock_,
                              [this](LogLevel, std::string_view line) { notices_.emplace_back(line); });
    ASSERT_TRUE(log.ok()) << log.status();
    log_ = std::move(*log);
  }
  std::string PathOf(const std::string& name) const { return folder_ + "/log/" + name; }
  std::string Read(const std::string& name) const {
    std::ifstream file(PathOf(name));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static Report Of(std::uint64_t n, const std::string& tenant, Reported result = Reported::kSent,
                   const std::string& cause = "") {
    return {Attempt(n), result, About::kNotSaid, cause, kAt, tenant};
  }
  static std::string Line(std::uint64_t n, const std::string& rest = "SENT\t-") {
    return kTime + Attempt(n).ToString() + "\t" + rest + "\n";
  }

  FakeClock clock_;
  std::string folder_;
  std::vector<std::string> notices_;
  std::unique_ptr<AuditLog> log_;
};

TEST_F(AuditLogTest, HasAFileForEachTenantAndALineForEachWord) {
  log_->Append({Of(1, "clinic"), Of(2, "other", Reported::kFailedTransient, "throttled"), Of(3, "")});
  log_->Append({Of(2, "clinic", Reported::kFailedTransient, "throttled")});
  EXPECT_EQ(Read("clinic.log"), kOpened + Line(1) + Line(2, "FAILED\tthrottled"));
  EXPECT_EQ(Read("other.log"), kOpened + Line(2, "FAILED\tthrottled"));
  EXPECT_EQ(log_->figures().written, 3u);
  struct stat file {};
  ASSERT_EQ(stat(PathOf("clinic.log").c_str(), &file), 0);
  EXPECT_EQ(file.st_mode & 0777, 0600u);
}

TEST_F(AuditLogTest, SaysWhetherAProcessEndedAsItShould) {
  log_->Append({Of(1, "clinic")});
  Open();
  log_->Append({Of(2, "clinic")});
  EXPECT_EQ(Read("clinic.log"), kOpened + Line(1) + kClosed + kOpened + Line(2));
}

TEST_F(AuditLogTest, HalfALineOfAProcessThatWasKilledStandsAlone) {
  std::ofstream(PathOf("clinic.log")) << "2026-11-21T09:00:0";
  log_->Append({Of(1, "clinic")});
  EXPECT_EQ(Read("clinic.log"), "2026-11-21T09:00:0\n" + kOpened + Line(1));
}

TEST_F(AuditLogTest, NoTenantsNameLeadsOutOfItsFolder) {
  EXPECT_EQ(AuditLog::FileNameOf("clinic-7_a.b"), "clinic-7_a.b.log");
  EXPECT_EQ(AuditLog::FileNameOf("../../etc/passwd"), "%2E.%2F..%2Fetc%2Fpasswd.log");
  EXPECT_EQ(AuditLog::FileNameOf("a b\n%"), "a%20b%0A%25.log");
  EXPECT_EQ(AuditLog::FileNameOf("\xc3\xbc"), "%C3%BC.log");
}

TEST_F(AuditLogTest, MayBeMovedAwayAtAnyTime) {
  log_->Append({Of(1, "clinic")});
  std::filesystem::rename(PathOf("clinic.log"), PathOf("elsewhere"));
  log_->Append({Of(2, "clinic")});
  EXPECT_EQ(Read("clinic.log"), Line(2));
}

TEST_F(AuditLogTest, ItsSpaceIsBounded) {
  Open(500, 3);
  for (std::uint64_t n = 1; n <= 100; ++n) log_->Append({Of(n, "clinic")});
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_ + "/log"), {}), 3);
  std::string all;
  for (const char* name : {"clinic.log.2", "clinic.log.1", "clinic.log"}) {
    EXPECT_LE(Read(name).size(), 500u) << name;
    EXPECT_NE(Read(name), "") << name;
    all += Read(name);
  }
  EXPECT_TRUE(all.ends_with(Line(98) + Line(99) + Line(100))) << all;
  EXPECT_EQ(all.find(Line(1)), all.npos);
  Open(500, 1);
  for (std::uint64_t n = 1; n <= 100; ++n) log_->Append({Of(n, "one")});
  EXPECT_LE(Read("one.log").size(), 500u);
  EXPECT_FALSE(std::filesystem::exists(PathOf("one.log.1")));
}

TEST_F(AuditLogTest, WhatCannotBeWrittenIsCountedAndTheRestIsWritten) {
  std::filesystem::create_directory(PathOf("a.log"));
  log_->Append({Of(1, "a"), Of(2, "b"), Of(3, "a")});
  log_->Append({Of(4, "a")});
  EXPECT_EQ(Read("b.log"), kOpened + Line(2));
  EXPECT_EQ(log_->figures().lost, 3u);
  std::filesystem::remove(PathOf("a.log"));
  log_->Append({Of(5, "a")});
  EXPECT_EQ(Read("a.log"), kOpened + kTime + "-\tLOST\t3\n" + Line(5));
  EXPECT_EQ(log_->figures().written, 2u);
}

// As on a full disk: a part of what was to be written fits.
TEST_F(AuditLogTest, OnAFullDiskNoHalfLineIsLeft) {
  log_->Append({Of(1, "clinic")});
  const std::string before = Read("clinic.log");
  struct rlimit old {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  struct rlimit small = old;
  small.rlim_cur = before.size() + 10;
  const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  log_->Append({Of(2, "clinic")});
  log_->Append({Of(3, "clinic")});
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, ignored);
  EXPECT_EQ(Read("clinic.log"), before);
  ASSERT_EQ(notices_.size(), 1u) << "said once";
  EXPECT_NE(notices_[0].find("its lines are lost from now on, SMSes go on"), std::string::npos) << notices_[0];
  log_->Append({Of(4, "clinic")});
  EXPECT_EQ(Read("clinic.log"), before + kTime + "-\tLOST\t2\n" + Line(4));
  EXPECT_EQ(notices_.size(), 2u);
}

TEST_F(AuditLogTest, WhatIsNoFolderIsRefused) {
  std::ofstream(folder_ + "/file") << "x";
  for (const char* name : {"/file", "/file/below", "/not/there"}) {
    const auto log = AuditLog::Open({.folder = folder_ + name}, clock_, {});
    EXPECT_EQ(log.status().code(), absl::StatusCode::kInvalidArgument) << name;
  }
}

}  // namespace
}  // namespace smsflow::gateway
