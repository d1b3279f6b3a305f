// How the rows of a gateway's database are written and read: a byte that says how the value is sealed (crypto/seal.h),
// then a message of proto/smsflow/stored/v1/gateway.proto. For the stores alone.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "crypto/seal.h"
#include "storage/store.h"

namespace smsflow::gateway {

inline constexpr std::string_view kRowsTable = "gateway";

inline absl::Status Damaged(const char* what) {
  return absl::DataLossError(absl::StrCat("the gateway's store is damaged: ", what));
}

template <class Row>
void PutRow(storage::Batch& batch, storage::Family family, std::string_view key, const Row& row) {
  std::string sealed;
  // Fails only for an algorithm that does not exist.
  crypto::Seal(crypto::SealAlgorithm::kNone, kRowsTable, key, row.SerializeAsString(), sealed).IgnoreError();
  batch.Put(family, key, sealed);
}

template <class Row>
absl::StatusOr<Row> ParseRow(std::string_view key, std::string_view value) {
  std::string scratch;
  const auto opened = crypto::Open(kRowsTable, key, value, scratch);
  if (!opened.ok()) return opened.status();
  Row row;
  if (!row.ParseFromArray(opened->data(), static_cast<int>(opened->size()))) return Damaged("a row cannot be read");
  return row;
}

}  // namespace smsflow::gateway
