// A store whose disk cannot be read.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "storage/store.h"

namespace smsflow::storage {

// Every read fails with kError, every write succeeds and is forgotten. Thread-safe.
class BrokenStore final : public Store {
 public:
  static constexpr absl::StatusCode kError = absl::StatusCode::kUnavailable;

  absl::StatusOr<std::optional<std::string>> Get(Family, std::string_view) const override { return Error(); }
  std::unique_ptr<Cursor> Scan(Family, std::string_view, std::string_view, bool) const override {
    return std::make_unique<BrokenCursor>();
  }
  [[nodiscard]] absl::Status Write(const Batch&, Sync) override { return absl::OkStatus(); }

 private:
  static absl::Status Error() { return absl::Status(kError, "the disk cannot be read"); }

  class BrokenCursor final : public Cursor {
   public:
    bool Valid() const override { return false; }
    std::string_view key() const override { return {}; }
    std::string_view value() const override { return {}; }
    void Next() override {}
    absl::Status status() const override { return Error(); }
  };
};

}  // namespace smsflow::storage
