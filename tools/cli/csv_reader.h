// Rows of a CSV file (RFC 4180), streamed: quotes, quoted line breaks, CRLF or LF, a byte-order mark at the start.
//
// Borrows the stream; used from one thread; blocks on the stream alone. Holds one row at a time, however long its line.
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

  // False at the end. Empty lines are skipped. InvalidArgument names line and column, and nothing after it can be
  // trusted: a quote that is never closed or stands within a cell, text after a closing quote, a carriage return that
  // ends no line, a row above 64 KB or 64 cells, a zero byte.
  [[nodiscard]] absl::StatusOr<bool> Next(std::vector<std::string>& cells);

  std::uint64_t line() const { return row_line_; }  // where the last row began, from 1
  std::uint64_t bytes() const { return bytes_; }    // read so far
  char separator() const { return separator_; }     // of a file that has begun

 private:
  int Take();  // the next byte, or -1 at the end
  int Peek();
  absl::Status FindSeparator();
  absl::Status TakeQuoted(std::string& cell);
  absl::Status TakePlain(std::string& cell);
  bool TakeLineEnd();
  absl::Status Wrong(const char* rule) const;

  std::istream& in_;
  std::string ahead_;  // of the first line, which is looked at twice
  std::size_t ahead_at_ = 0;
  char separator_ = 0;
  std::uint64_t line_ = 1, row_line_ = 0, bytes_ = 0, row_begin_ = 0;
  std::size_t column_ = 1;
};

// The cells as one line that CsvReader reads back as they are.
std::string CsvRow(const std::vector<std::string>& cells, char separator = ',');

}  // namespace smsflow::cli
