// The rows of a CSV file as SMSes to be scheduled: columns by name, numbers and texts sealed here, and an idempotency
// key for each, so that running the same import again doubles none.
//
// Borrows the stream and the session; used from the main thread; blocks on the disk alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/keys.h"
#include "tools/cli/bulk.h"
#include "tools/cli/csv_reader.h"
#include "tools/cli/occurrences.h"
#include "tools/cli/verbs.h"
#include "workflows/delivery/slots.h"

namespace smsflow::cli {

// The column in which a refused row says why, first in its file; it is read over when that file is imported.
inline constexpr char kRefusedBecause[] = "refused_because";

// A row that cannot be taken says why in the status of its item, with the name of the column; nothing is wrong with the
// others.
struct ImportRow {
  std::uint64_t line = 0;
  std::vector<std::string> cells;
  absl::StatusOr<BulkItem> item;
};

class ImportRows {
 public:
  // `folder`: where the names in the column payload_file begin.
  ImportRows(const Session& session, std::istream& in, std::filesystem::path folder);

  // Reads the first line. InvalidArgument: the columns are not such that any row can be taken.
  [[nodiscard]] absl::Status ReadTitles();
  // nullopt at the end. An error is the file's: nothing behind it can be read.
  [[nodiscard]] absl::StatusOr<std::optional<ImportRow>> Next();

  const std::vector<std::string>& titles() const { return titles_; }  // as they stand in the file
  std::uint64_t bytes() const { return csv_.bytes(); }
  char separator() const { return csv_.separator(); }

 private:
  absl::StatusOr<BulkItem> MakeItem(const std::vector<std::string>& cells);
  absl::Status Name(BulkItem& item, const std::string& slots, const std::string& own_key);
  absl::StatusOr<std::string> Payload(const std::vector<std::string>& cells, const std::string& key) const;
  absl::StatusOr<std::string> SealedPayload(const std::vector<std::string>& cells) const;
  std::string Cell(const std::vector<std::string>& cells, const char* column, const std::string& otherwise = "") const;

  const Session& session_;
  CsvReader csv_;
  const std::filesystem::path folder_;
  std::vector<std::string> titles_;
  std::map<std::string, std::size_t> columns_;
  Occurrences alike_;
  std::optional<crypto::PublicKey> key_;
  std::unique_ptr<workflows::delivery::ZoneResolver> zones_;
};

}  // namespace smsflow::cli
