// Every stored value: how it is sealed, in its first byte (crypto/seal.h), and then its message. An internal header of
// storage/.
//
// Values are written unsealed today, with the byte that says so in front, and without copying them for it: the writer
// appends straight after that byte.
#pragma once

#include <cassert>
#include <limits>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "crypto/seal.h"

namespace smsflow::storage {

// This thread's buffer with the sealing byte in it, for the caller to append a value's bytes to. Good until the next
// call on the same thread.
inline std::string& BeginValue() {
  thread_local std::string buffer;
  buffer.assign(1, static_cast<char>(crypto::SealAlgorithm::kNone));
  return buffer;
}

// DATA_LOSS that names the table and the key in hex; `key` may be empty where it is not known.
inline absl::Status CannotDecode(std::string_view table, std::string_view key, std::string_view why) {
  const std::string row = key.empty() ? "" : absl::StrCat(" with key ", absl::BytesToHexString(std::string(key)));
  return absl::DataLossError(absl::StrCat("a row of ", std::string(table), row, " cannot be read: ", std::string(why)));
}

// The bytes after the sealing byte, unsealed. The view is good as long as `value` and `scratch` are.
inline absl::StatusOr<std::string_view> OpenValue(std::string_view table, std::string_view key, std::string_view value,
                                                  std::string& scratch) {
  auto opened = crypto::Open(table, key, value, scratch);
  if (!opened.ok()) return CannotDecode(table, key, std::string(opened.status().message()));
  return opened;
}

// A value that is one message. DATA_LOSS: it is none.
template <class Row>
absl::StatusOr<Row> DecodeRow(std::string_view table, std::string_view key, std::string_view value) {
  std::string scratch;
  const auto opened = OpenValue(table, key, value, scratch);
  if (!opened.ok()) return opened.status();
  Row row;
  assert(opened->size() <= std::numeric_limits<int>::max());  // RocksDB checks what it reads; we write no such row
  if (!row.ParseFromArray(opened->data(), static_cast<int>(opened->size())))
    return CannotDecode(table, key, "its bytes are no such record");
  return row;
}

}  // namespace smsflow::storage
