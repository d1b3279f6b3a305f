// What a supervisor is to make of a start that failed: 78 is never started again.
#include "server/exit_codes.h"

#include <gtest/gtest.h>

#include <cerrno>

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

}  // namespace
}  // namespace smsflow::server
