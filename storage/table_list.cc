#include "storage/table_list.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace smsflow::storage {
namespace {

constexpr std::string_view kListPrefix = "MANIFEST-";

std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Its path; empty: CURRENT names none.
std::string ListOf(const std::string& path) {
  const std::string current = ReadAll(absl::StrCat(path, "/CURRENT"));
  const std::string name(absl::StripSuffix(current, "\n"));
  const bool named = current.ends_with('\n') && name.starts_with(kListPrefix) && name.find('/') == std::string::npos;
  return named ? absl::StrCat(path, "/", name) : "";
}

}  // namespace

bool NamesTableList(const std::string& path) {
  const std::string list = ListOf(path);
  std::error_code error;
  return !list.empty() && std::filesystem::is_regular_file(list, error);
}

absl::Status NameNewestTableList(const std::string& path) {
  namespace fs = std::filesystem;
  std::uint64_t newest = 0;
  std::string name;
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    const std::string found = it->path().filename().string();
    std::uint64_t number = 0;
    if (!found.starts_with(kListPrefix) || !absl::SimpleAtoi(found.substr(kListPrefix.size()), &number)) continue;
    if (number < newest) continue;
    newest = number;
    name = found;
  }
  if (name.empty()) return absl::NotFoundError(absl::StrCat(path, " has no list of its tables"));
  std::ofstream current(absl::StrCat(path, "/CURRENT"), std::ios::binary | std::ios::trunc);
  current << name << '\n';
  current.close();
  return current ? absl::OkStatus() : absl::UnknownError(absl::StrCat("cannot write ", path, "/CURRENT"));
}

}  // namespace smsflow::storage
