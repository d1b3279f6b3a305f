// Rows of a CSV file (RFC 4180), streamed: quotes, quoted line breaks, CRLF or LF, a byte-order mark at the start.
//
// Borrows the stream; used from one thread; blocks on the stream alone. Holds one row at a time.
#pragma once

#include <cstdint>
#include <istream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace smsflow::cli {

class CsvReader {
 public:
  // Also takes `;` between cells when the first line has more of them than commas: that is what spreadsheets of many
  // countries write.
  explicit CsvReader(std::istream& in);

  // False at the end. Empty lines are skipped. InvalidArgument names the line: a quote that is never closed, text after
  // a closing quote, a row above 64 KB, or a zero byte.
  [[nodiscard]] absl::StatusOr<bool> Next(std::vector<std::string>& cells);

  std::uint64_t line() const { return row_line_; }  // where the last row began, from 1

 private:
  bool GetLine(std::string& line);
  absl::Status Wrong(const char* rule) const;

  std::istream& in_;
  char separator_ = 0;
  std::uint64_t line_ = 0, row_line_ = 0;
};

}  // namespace smsflow::cli
