// Rows of CSV: what is taken can be written again and read as the same, and an error says where it is.
#include <sstream>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz.h"
#include "tools/cli/csv_reader.h"

using smsflow::cli::CsvReader;
using smsflow::fuzz::Require;

namespace {

using Cells = std::vector<std::string>;

// Behind a first line that settles the separator.
void TryAgain(const std::vector<Cells>& rows, char separator) {
  std::string text = separator == ',' ? "a,b\n" : "a;b\n";
  for (const Cells& cells : rows) text += smsflow::cli::CsvRow(cells, separator);
  std::istringstream in(text);
  CsvReader reader(in);
  Cells cells;
  Require(reader.Next(cells).ok(), "the first line is a row");
  for (const Cells& row : rows) {
    const auto read = reader.Next(cells);
    Require(read.ok() && *read, "what was written is read");
    Require(cells == row, "and is the same");
  }
  const auto end = reader.Next(cells);
  Require(end.ok() && !*end, "and nothing else");
  Require(reader.bytes() == text.size(), "every byte was counted");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::istringstream in{std::string(smsflow::fuzz::View(data, size))};
  CsvReader reader(in);
  std::vector<Cells> rows;
  std::uint64_t line = 0;
  for (Cells cells;;) {
    const auto read = reader.Next(cells);
    if (!read.ok()) {
      Require(std::string(read.status().message()).rfind("line ", 0) == 0, "an error says where it is");
      Require(read.status().message().size() < 160, "and repeats nothing of the file");
      break;
    }
    if (!*read) break;
    Require(!cells.empty() && cells.size() <= 64, "a row has cells");
    Require(reader.line() > line && reader.bytes() <= size, "rows go forward");
    line = reader.line();
    rows.push_back(cells);
  }
  TryAgain(rows, ',');
  TryAgain(rows, ';');
  return 0;
}
