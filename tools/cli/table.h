// Rows in columns: aligned and coloured for a person, tab-separated for a script, quoted for a spreadsheet.
//
// A value, used from one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tools/cli/terminal.h"

namespace smsflow::cli {

struct Cell {
  std::string text;
  Color color = Color::kNone;
  Cell(std::string value, Color paint = Color::kNone) : text(std::move(value)), color(paint) {}  // NOLINT: converts
  Cell(std::string_view value, Color paint = Color::kNone) : text(value), color(paint) {}        // NOLINT
  Cell(const char* value) : text(value) {}                                                       // NOLINT
};

class Table {
 public:
  explicit Table(std::vector<std::string> titles) : titles_(std::move(titles)) {}
  // As many cells as there are titles.
  void Add(std::vector<Cell> cells);
  bool empty() const { return rows_.empty(); }

  // Every column as wide as its widest cell; the last one as it comes. Columns that are empty in every row are left
  // out. Nothing is cut: an id that cannot be copied whole is of no use.
  std::string ForPeople(const Terminal& terminal) const;
  // No titles, one row a line, tabs between; an empty cell is `-`.
  std::string ForScripts() const;

 private:
  std::vector<std::string> titles_;
  std::vector<std::vector<Cell>> rows_;
};

// One line of RFC 4180. A cell that a spreadsheet would take for a formula begins with an apostrophe.
std::string CsvLine(const std::vector<std::string>& cells);

}  // namespace smsflow::cli
