#include "tools/cli/failure.h"

#include <gtest/gtest.h>

#include "tools/cli/connection.h"

namespace smsflow::cli {
namespace {

std::string Field(int number, const std::string& bytes) {
  return std::string(1, static_cast<char>(number << 3 | 2)) + static_cast<char>(bytes.size()) + bytes;
}

TEST(Violations, AreReadFromTheDetailsOfAStatus) {
  const std::string bad_request = Field(1, Field(1, "schedule") + Field(2, "slot 2 ends before it starts")) +
                                  Field(1, Field(1, "payload") + Field(2, "at most 16384 bytes"));
  const std::string any = Field(1, "type.googleapis.com/google.rpc.BadRequest") + Field(2, bad_request);
  const std::string other = Field(1, "type.googleapis.com/google.rpc.RetryInfo") + Field(2, bad_request);
  EXPECT_EQ(Violations(Field(2, "message") + Field(3, other) + Field(3, any)),
            "schedule: slot 2 ends before it starts; payload: at most 16384 bytes");
  EXPECT_EQ(Violations(""), "");
  EXPECT_EQ(Violations("rubbish"), "");
}

TEST(ExitCode, IsWhatTheHelpSays) {
  using absl::StatusCode;
  for (const auto& [code, exit_code] : std::vector<std::pair<StatusCode, int>>{{StatusCode::kOk, 0},
                                                                               {StatusCode::kInvalidArgument, 2},
                                                                               {StatusCode::kNotFound, 3},
                                                                               {StatusCode::kFailedPrecondition, 4},
                                                                               {StatusCode::kAlreadyExists, 4},
                                                                               {StatusCode::kResourceExhausted, 4},
                                                                               {StatusCode::kOutOfRange, 4},
                                                                               {StatusCode::kUnavailable, 5},
                                                                               {StatusCode::kDeadlineExceeded, 5},
                                                                               {StatusCode::kInternal, 5},
                                                                               {StatusCode::kUnauthenticated, 6},
                                                                               {StatusCode::kPermissionDenied, 6}})
    EXPECT_EQ(ExitCodeOf(absl::Status(code, "x")), exit_code) << static_cast<int>(code);
}

TEST(Plaintext, GoesToThisMachineOnly) {
  for (const char* local : {"127.0.0.1:7070", "127.1.2.3:1", "localhost:1", "[::1]:1", "unix:/run/s"})
    EXPECT_TRUE(IsLocal(local)) << local;
  for (const char* far : {"10.0.0.1:1", "127.0.0.1.example.org:1", "example.org:7070", "0.0.0.0:1", "localhost.x:1"})
    EXPECT_FALSE(IsLocal(far)) << far;
}

}  // namespace
}  // namespace smsflow::cli
