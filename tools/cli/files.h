// Whole files in and out, with errors that name the file and never what is in it.
//
// Blocks on the disk; safe from any thread.
#pragma once

#include <fstream>
#include <istream>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace smsflow::cli {

// At most 1 MB: keys, envelopes and texts are small.
[[nodiscard]] absl::StatusOr<std::string> ReadWholeFile(const std::string& path);
// The same from `in` when `path` is `-`.
[[nodiscard]] absl::StatusOr<std::string> ReadFileOrStdin(const std::string& path, std::istream& in);

// The same, without the line break that an editor leaves at the end: an envelope is text, and that is not part of it.
[[nodiscard]] absl::StatusOr<std::string> ReadEnvelope(const std::string& path, std::istream& in);

enum class Access { kEveryone = 0644, kOwner = 0600 };
// Makes a new file; FailedPrecondition when there is one.
[[nodiscard]] absl::Status WriteNewFile(const std::string& path, std::string_view contents, Access access);

// A file to write line by line, empty at first, readable by its owner alone.
[[nodiscard]] absl::StatusOr<std::ofstream> OpenOwnFile(const std::string& path);

}  // namespace smsflow::cli
