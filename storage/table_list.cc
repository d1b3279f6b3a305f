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
#include "storage/crc32c.h"

namespace smsflow::storage {
namespace {

constexpr std::string_view kListPrefix = "MANIFEST-";
constexpr std::size_t kBlock = 32 << 10, kHeader = 7;
enum Type : unsigned { kWhole = 1, kFirst = 2, kMiddle = 3, kLast = 4 };

std::uint32_t LittleEndian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<std::uint8_t>(bytes[i]);
  return value;
}

std::uint32_t Masked(std::uint32_t crc) { return (crc >> 15 | crc << 17) + 0xA282EAD8U; }

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

std::size_t WholeBytes(std::string_view log) {
  std::size_t whole = 0;
  bool within = false;  // a record of several parts
  for (std::size_t at = 0; at + kHeader <= log.size();) {
    const std::size_t left = kBlock - at % kBlock;
    if (left < kHeader) {
      at += left;
      continue;
    }
    const std::size_t length = LittleEndian(log.substr(at + 4, 2));
    const unsigned type = static_cast<std::uint8_t>(log[at + 6]);
    if (kHeader + length > left || at + kHeader + length > log.size()) break;
    if (LittleEndian(log.substr(at, 4)) != Masked(Crc32c(log.substr(at + 6, 1 + length)))) break;
    if (type < kWhole || type > kLast || within != (type == kMiddle || type == kLast)) break;
    within = type == kFirst || type == kMiddle;
    at += kHeader + length;
    if (!within) whole = at;
  }
  return whole;
}

bool TableListIsDamaged(const std::string& path) {
  const std::string list = ListOf(path);
  if (list.empty()) return false;
  const std::string bytes = ReadAll(list);
  return WholeBytes(bytes) != bytes.size();
}

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

absl::Status CutTableList(const std::string& path) {
  const std::string list = ListOf(path);
  std::error_code error;
  if (!list.empty()) std::filesystem::resize_file(list, WholeBytes(ReadAll(list)), error);
  return error ? absl::ErrnoToStatus(error.value(), absl::StrCat("cannot cut ", list)) : absl::OkStatus();
}

}  // namespace smsflow::storage
