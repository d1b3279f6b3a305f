// What a store of RocksDB holds, uncompressed, for the search for secrets: its files are compressed, and show little.
//
//   stored_rows FOLDER           each row as FAMILY KEY VALUE, key and value in hexadecimal; changes nothing on disk
//   stored_rows --plant FOLDER   makes a store with the lines of the standard input as rows, all of them in tables
#include <iostream>
#include <string>
#include <string_view>

#include "absl/strings/escaping.h"
#include "storage/rocks_store.h"

namespace smsflow::storage {
namespace {

constexpr std::string_view kEnd = "\xff\xff";  // behind every key, whose first byte is a letter

int Fail(const absl::Status& status) {
  std::cerr << status << "\n";
  return 1;
}

std::string Hex(std::string_view bytes) { return absl::BytesToHexString(std::string(bytes)); }

int Show(const std::string& folder) {
  const auto store = RocksStore::Open({.path = folder, .create = false, .read_only = true, .file_system = nullptr});
  if (!store.ok()) return Fail(store.status());
  for (int family = 0; family < kFamilies; ++family) {
    const auto rows = (*store)->Scan(static_cast<Family>(family), "", kEnd);
    for (; rows->Valid(); rows->Next())
      std::cout << family << " " << Hex(rows->key()) << " " << Hex(rows->value()) << "\n";
    if (!rows->status().ok()) return Fail(rows->status());
  }
  return 0;
}

int Plant(const std::string& folder) {
  const auto store = RocksStore::Open({.path = folder, .file_system = nullptr});
  if (!store.ok()) return Fail(store.status());
  Batch batch;
  std::string line;
  for (int row = 0; std::getline(std::cin, line); ++row) batch.Put(Family::kJournal, std::to_string(row), line);
  if (const absl::Status status = (*store)->Write(batch, Sync::kYes); !status.ok()) return Fail(status);
  if (const absl::Status status = (*store)->Compact(); !status.ok()) return Fail(status);
  return 0;
}

}  // namespace
}  // namespace smsflow::storage

int main(int argc, char** argv) {
  if (argc == 2) return smsflow::storage::Show(argv[1]);
  if (argc == 3 && std::string_view(argv[1]) == "--plant") return smsflow::storage::Plant(argv[2]);
  std::cerr << "stored_rows [--plant] FOLDER\n";
  return 2;
}
