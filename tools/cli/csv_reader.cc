#include "tools/cli/csv_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace smsflow::cli {
namespace {

constexpr std::size_t kRowBytesMax = 64 * 1024;

}  // namespace

CsvReader::CsvReader(std::istream& in) : in_(in) {}

bool CsvReader::GetLine(std::string& line) {
  if (!std::getline(in_, line)) return false;
  ++line_;
  if (line_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  return true;
}

absl::Status CsvReader::Wrong(const char* rule) const {
  return absl::InvalidArgumentError(absl::StrCat("line ", row_line_, ": ", rule));
}

absl::StatusOr<bool> CsvReader::Next(std::vector<std::string>& cells) {
  cells.clear();
  std::string line;
  do {
    if (!GetLine(line)) return false;
  } while (line.empty() || line == "\r");
  row_line_ = line_;
  if (separator_ == 0)
    separator_ = std::count(line.begin(), line.end(), ';') > std::count(line.begin(), line.end(), ',') ? ';' : ',';
  std::string cell;
  std::size_t bytes = 0;
  for (std::size_t i = 0;;) {
    cell.clear();
    if (i < line.size() && line[i] == '"') {
      for (++i;;) {
        if (i >= line.size()) {  // the cell goes on in the next line
          cell += '\n';
          if ((bytes += line.size()) > kRowBytesMax) return Wrong("a row must be at most 64 KB; is a quote missing?");
          if (!GetLine(line)) return Wrong("a quote is never closed");
          i = 0;
        } else if (line[i] != '"') {
          cell += line[i++];
        } else if (i + 1 < line.size() && line[i + 1] == '"') {
          cell += '"';
          i += 2;
        } else {
          ++i;
          break;
        }
      }
    } else {
      while (i < line.size() && line[i] != separator_) cell += line[i++];
      if (i >= line.size() && !cell.empty() && cell.back() == '\r') cell.pop_back();
    }
    if (cell.find('\0') != std::string::npos) return Wrong("holds a zero byte; is this a text file?");
    cells.push_back(cell);
    if (i + 1 == line.size() && line[i] == '\r') ++i;
    if (i >= line.size()) break;
    if (line[i] != separator_) return Wrong("text stands after a closing quote");
    ++i;
  }
  if (bytes + line.size() > kRowBytesMax) return Wrong("a row must be at most 64 KB");
  return true;
}

}  // namespace smsflow::cli
