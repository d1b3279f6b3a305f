// What a supervisor is to make of a start that failed: 78 is never started again.
#include "logging/exit_codes.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "logging/logging.h"
#include "server/process.h"

namespace smsflow::server {
namespace {

TEST(ExitCodes, WhatMayPassIsTriedAgain) {
  for (const int error : {ENOSPC, EDQUOT, ENOMEM, EMFILE, ENFILE, EIO, EAGAIN, EINTR})
    EXPECT_EQ(ExitCodeOf(absl::ErrnoToStatus(error, "open")), kExitFatal) << error;
  EXPECT_EQ(ExitCodeOf(absl::ResourceExhaustedError("the disk is full")), kExitFatal);
  EXPECT_EQ(ExitCodeOf(absl::InternalError("cannot open: IO error")), kExitFatal);
}

TEST(ExitCodes, WhatStaysUntilAPersonActsIsNot) {
  for (const int error : {ENOENT, EACCES, EPERM, EROFS, ENOTDIR, EEXIST, EINVAL})
    EXPECT_EQ(ExitCodeOf(absl::ErrnoToStatus(error, "open")), kExitConfig) << error;
  EXPECT_EQ(ExitCodeOf(absl::DataLossError("a log is damaged")), kExitConfig);
  EXPECT_EQ(ExitCodeOf(absl::FailedPreconditionError("is in use")), kExitConfig);
}

// It would be met again and again, and work be taken and let go in between.
TEST(ExitCodes, DamageThatIsMetWhileItRunsIsForAPersonToo) {
  const auto end = [](const absl::Status& status) {
    SetUpLogging({});
    EndFatally(status);
  };
  EXPECT_EXIT(end(absl::DataLossError("Corruption: block checksum mismatch")), testing::ExitedWithCode(kExitConfig),
              "checksum mismatch; 'smsflow db repair' makes a copy that is whole");
  EXPECT_EXIT(end(absl::DataLossError("the gateway has seen more: smsflow db repair makes a copy")),
              testing::ExitedWithCode(kExitConfig), "has seen more: smsflow db repair makes a copy[^;]*$");
  EXPECT_EXIT(end(absl::ErrnoToStatus(EIO, "cannot commit a batch")), testing::ExitedWithCode(kExitFatal),
              "cannot commit a batch[^;]*$");
}

}  // namespace
}  // namespace smsflow::server
