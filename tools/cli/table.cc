#include "tools/cli/table.h"

#include <algorithm>
#include <cassert>

namespace smsflow::cli {

void Table::Add(std::vector<Cell> cells) {
  assert(cells.size() == titles_.size());
  for (Cell& cell : cells) cell.text = Visible(cell.text);
  rows_.push_back(std::move(cells));
}

std::string Table::ForPeople(const Terminal& terminal) const {
  std::vector<std::size_t> shown, widths;
  for (std::size_t column = 0; column < titles_.size(); ++column) {
    std::size_t widest = 0;
    for (const auto& row : rows_) widest = std::max(widest, Columns(row[column].text));
    if (widest == 0) continue;
    shown.push_back(column);
    widths.push_back(std::max(widest, Columns(titles_[column])));
  }
  std::string out;
  const auto line = [&](auto text_of, auto color_of) {
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const std::string& text = text_of(shown[i]);
      out += Painted(terminal, color_of(shown[i]), text);
      if (i + 1 < shown.size()) out.append(widths[i] - Columns(text) + 2, ' ');
    }
    while (!out.empty() && out.back() == ' ') out.pop_back();
    out += '\n';
  };
  line([&](std::size_t c) -> const std::string& { return titles_[c]; }, [](std::size_t) { return Color::kDim; });
  for (const auto& row : rows_)
    line([&](std::size_t c) -> const std::string& { return row[c].text; }, [&](std::size_t c) { return row[c].color; });
  return out;
}

std::string Table::ForScripts() const {
  std::string out;
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (i > 0) out += '\t';
      out += row[i].text.empty() ? "-" : row[i].text;
    }
    out += '\n';
  }
  return out;
}

std::string CsvLine(const std::vector<std::string>& cells) {
  std::string out;
  for (const std::string& cell : cells) {
    if (&cell != &cells.front()) out += ',';
    std::string safe = cell;
    if (!safe.empty() && std::string_view("=+-@\t\r").find(safe.front()) != std::string_view::npos) safe.insert(0, "'");
    if (safe.find_first_of(",\"\r\n") == std::string::npos) {
      out += safe;
      continue;
    }
    out += '"';
    for (const char c : safe) {
      if (c == '"') out += '"';
      out += c;
    }
    out += '"';
  }
  return out += "\r\n";
}

}  // namespace smsflow::cli
