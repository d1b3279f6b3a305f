// The form in which values are stored: one byte that says how they are sealed, then the bytes.
//
//   sealed := algorithm:u8 body
//   algorithm 0 (none): body is the value itself
//
// Every stored value passes through here from the first day on, so that encryption at rest is a new algorithm and not a
// new format. `table` and `key` say where the value lies; an algorithm that encrypts binds the value to them, so that
// it cannot be moved to another row.
//
// Safe to use from any thread; nothing blocks. Errors name table and algorithm, never key or value.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace smsflow::crypto {

// Persisted: a number, once given, is never changed or reused.
enum class SealAlgorithm : std::uint8_t {
  kNone = 0,
};

// Appends the sealed form of `bytes` to `out`. InvalidArgument for an algorithm this version does not know; `out` is
// then unchanged.
[[nodiscard]] absl::Status Seal(SealAlgorithm algorithm, std::string_view table, std::string_view key,
                                std::string_view bytes, std::string& out);

// Gives back what was sealed. The view lies in `sealed` or in `scratch` and is good as long as both are unchanged; with
// algorithm 0 nothing is copied. DataLoss when `sealed` is empty or its algorithm is unknown to this version.
[[nodiscard]] absl::StatusOr<std::string_view> Open(std::string_view table, std::string_view key,
                                                    std::string_view sealed, std::string& scratch);

}  // namespace smsflow::crypto
