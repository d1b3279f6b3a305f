#include "tests/sim/page.h"

#include <fstream>
#include <iterator>
#include <utility>

namespace smsflow::sim {
namespace {

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Where the table stands in the page: from the line after its name to the line before its end.
std::optional<std::pair<std::size_t, std::size_t>> Find(const std::string& page, const std::string& name) {
  const std::string begin = "<!-- table " + name + " -->\n";
  const std::size_t at = page.find(begin);
  if (at == page.npos) return std::nullopt;
  const std::size_t end = page.find("<!-- end -->", at);
  if (end == page.npos) return std::nullopt;
  return std::pair{at + begin.size(), end};
}

}  // namespace

std::optional<std::string> ReadTable(const std::string& path, const std::string& name) {
  const std::string page = ReadAll(path);
  const auto where = Find(page, name);
  if (!where) return std::nullopt;
  return page.substr(where->first, where->second - where->first);
}

bool WriteTable(const std::string& path, const std::string& name, const std::string& table) {
  std::string page = ReadAll(path);
  const auto where = Find(page, name);
  if (!where) return false;
  page.replace(where->first, where->second - where->first, "\n" + table + "\n");
  std::ofstream file(path, std::ios::trunc);
  file << page;
  return static_cast<bool>(file.flush());
}

}  // namespace smsflow::sim
