#include "tools/cli/csv_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace smsflow::cli {
namespace {

constexpr std::size_t kRowBytesMax = 64 * 1024;
constexpr std::size_t kCellsMax = 64;
constexpr int kEnd = -1;
constexpr char kTooLong[] = "a row must be at most 64 KB; is a quote missing?";

}  // namespace

CsvReader::CsvReader(std::istream& in) : in_(in) {}

int CsvReader::Peek() {
  if (ahead_at_ < ahead_.size()) return static_cast<unsigned char>(ahead_[ahead_at_]);
  return in_.rdbuf()->sgetc();
}

int CsvReader::Take() {
  const int byte = ahead_at_ < ahead_.size() ? static_cast<unsigned char>(ahead_[ahead_at_++]) : in_.rdbuf()->sbumpc();
  if (byte == kEnd) return byte;
  ++bytes_;
  if (byte == '\n') ++line_;
  return byte;
}

absl::Status CsvReader::Wrong(const char* rule) const {
  return absl::InvalidArgumentError(absl::StrCat("line ", row_line_, ", column ", column_, ": ", rule));
}

// Reads the first line that is not empty ahead, without its byte-order mark.
absl::Status CsvReader::FindSeparator() {
  std::streambuf& source = *in_.rdbuf();
  row_line_ = 1;
  bool empty = true;
  for (int byte; ahead_.size() <= kRowBytesMax && (byte = source.sbumpc()) != kEnd;) {
    ahead_ += static_cast<char>(byte);
    empty = empty && (byte == '\r' || byte == '\n');
    if (byte == '\n' && !empty) break;
  }
  if (ahead_.size() > kRowBytesMax) return Wrong(kTooLong);
  if (ahead_.starts_with("\xEF\xBB\xBF")) {
    ahead_at_ = 3;
    bytes_ = 3;
  }
  separator_ =
      std::count(ahead_.begin(), ahead_.end(), ';') > std::count(ahead_.begin(), ahead_.end(), ',') ? ';' : ',';
  return absl::OkStatus();
}

bool CsvReader::TakeLineEnd() {
  if (Peek() == '\n') return Take(), true;
  return false;
}

absl::Status CsvReader::TakeQuoted(std::string& cell) {
  for (Take();;) {
    const int byte = Take();
    if (byte == kEnd) return Wrong("a quote is never closed");
    if (bytes_ - row_begin_ > kRowBytesMax) return Wrong(kTooLong);
    if (byte == 0) return Wrong("holds a zero byte; is this a text file?");
    if (byte != '"') {
      cell += static_cast<char>(byte);
    } else if (Peek() == '"') {
      cell += static_cast<char>(Take());
    } else {
      break;
    }
  }
  const int after = Peek();
  if (after != separator_ && after != '\r' && after != '\n' && after != kEnd)
    return Wrong("text stands after a closing quote");
  return absl::OkStatus();
}

absl::Status CsvReader::TakePlain(std::string& cell) {
  for (int byte; (byte = Peek()) != separator_ && byte != '\r' && byte != '\n' && byte != kEnd; Take()) {
    if (bytes_ - row_begin_ > kRowBytesMax) return Wrong("a row must be at most 64 KB");
    if (byte == 0) return Wrong("holds a zero byte; is this a text file?");
    if (byte == '"') return Wrong("a quote stands within a cell; the whole cell must be quoted, and the quote doubled");
    cell += static_cast<char>(byte);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> CsvReader::Next(std::vector<std::string>& cells) {
  cells.clear();
  if (separator_ == 0)
    if (absl::Status status = FindSeparator(); !status.ok()) return status;
  const auto skip_empty_line = [this] {
    if (Peek() == '\r') Take();
    return TakeLineEnd();
  };
  row_line_ = line_, column_ = 1;
  while (Peek() == '\r' || Peek() == '\n') {
    if (!skip_empty_line()) return Wrong("a carriage return ends no line; lines end in LF or CRLF");
    row_line_ = line_;
  }
  if (Peek() == kEnd) return false;
  row_begin_ = bytes_;
  for (;; ++column_) {
    if (column_ > kCellsMax) return Wrong("a row must have at most 64 cells");
    std::string cell;
    absl::Status status = Peek() == '"' ? TakeQuoted(cell) : TakePlain(cell);
    if (!status.ok()) return status;
    cells.push_back(std::move(cell));
    if (Peek() != separator_) break;
    Take();
  }
  if (Peek() == '\r') {
    Take();
    if (!TakeLineEnd() && Peek() != kEnd) return Wrong("a carriage return ends no line; lines end in LF or CRLF");
  } else {
    TakeLineEnd();
  }
  return true;
}

std::string CsvRow(const std::vector<std::string>& cells, char separator) {
  std::string row;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) row += separator;
    const std::string& cell = cells[i];
    // A row of one empty cell would be an empty line.
    const bool plain = cell.find_first_of("\"\r\n,;") == std::string::npos && !(cell.empty() && cells.size() == 1);
    if (plain) {
      row += cell;
      continue;
    }
    row += '"';
    for (const char c : cell) {
      if (c == '"') row += '"';
      row += c;
    }
    row += '"';
  }
  return row + "\r\n";
}

}  // namespace smsflow::cli
