#include "storage/table_list.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "storage/files.h"

namespace smsflow::storage {
namespace {

constexpr std::string_view kListPrefix = "MANIFEST-";

}  // namespace

std::string TableListPath(rocksdb::FileSystem& files, const std::string& folder) {
  const auto current = ReadWholeFile(files, absl::StrCat(folder, "/CURRENT"));
  if (!current.ok() || !current->starts_with(kListPrefix) || !current->ends_with('\n')) return "";
  const std::string path = absl::StrCat(folder, "/", std::string(absl::StripSuffix(*current, "\n")));
  return FileExists(files, path) ? path : "";
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
