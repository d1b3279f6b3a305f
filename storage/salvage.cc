#include "storage/salvage.h"

#include <algorithm>
#include <array>
#include <bit>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "rocksdb/db.h"
#include "rocksdb/env.h"
#include "rocksdb/metadata.h"
#include "rocksdb/sst_file_reader.h"
#include "rocksdb/utilities/debug.h"
#include "storage/deleted_ranges.h"
#include "storage/log_end.h"
#include "storage/rocks_options.h"
#include "storage/rocks_types.h"
#include "storage/table_list.h"

namespace smsflow::storage {
namespace {

namespace fs = std::filesystem;

// The files of a folder that end so, by their numbers, which RocksDB pads to six digits at least.
absl::StatusOr<std::vector<fs::path>> FilesOf(const std::string& folder, const char* extension) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    if (it->path().extension() == extension) found.push_back(it->path());
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot list ", folder));
  std::sort(found.begin(), found.end(), [](const fs::path& a, const fs::path& b) {
    const std::string left = a.filename().string(), right = b.filename().string();
    return std::pair(left.size(), left) < std::pair(right.size(), right);
  });
  return found;
}

// A table is finished with a number that says what it is. A few other bits in it are damage, not a table half written.
absl::StatusOr<bool> IsFinished(const fs::path& table) {
  constexpr std::uint64_t kMagic = 0x88e241b785f4cff7;
  constexpr int kDamagedBits = 8;
  std::uint64_t last = 0;
  std::error_code error;
  const std::uintmax_t size = fs::file_size(table, error);
  if (!error && size < sizeof last) return false;
  std::ifstream in(table, std::ios::binary);
  in.seekg(-static_cast<std::streamoff>(sizeof last), std::ios::end);
  std::array<char, sizeof last> bytes{};
  if (error || !in.read(bytes.data(), bytes.size()))
    return absl::InternalError(absl::StrCat("cannot read ", table.string()));
  for (std::size_t i = bytes.size(); i-- > 0;) last = last << 8 | static_cast<std::uint8_t>(bytes[i]);
  return std::popcount(last ^ kMagic) <= kDamagedBits;
}

// The newest version of each key of one family of the scratch database, in order of the keys.
class Versions {
 public:
  // `page`: so many versions are held, with their values.
  Versions(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family, std::size_t page)
      : db_(&db), family_(family), page_size_(page) {}

  // To the first; the others are good after it was OK.
  absl::Status Begin() { return Fill({}); }
  bool Valid() const { return at_ < page_.size(); }
  const rocksdb::KeyVersion& newest() const { return page_[at_]; }
  absl::Status Next() {
    const std::string key = page_[at_].user_key;
    while (at_ < page_.size() && page_[at_].user_key == key) ++at_;
    return at_ < page_.size() || page_.size() < page_size_ ? absl::OkStatus() : Fill(key + '\0');
  }

 private:
  absl::Status Fill(const std::string& from) {
    at_ = 0;
    if (auto status = Read(from, page_); !status.ok() || page_.size() == page_size_) return status;
    return SeeThatItEnds(page_.empty() ? from : page_.back().user_key + '\0');
  }
  absl::Status Read(const std::string& from, std::vector<rocksdb::KeyVersion>& page) const {
    page.clear();
    return ToStatus(rocksdb::GetAllKeyVersions(db_, family_, from, {}, page_size_, &page), "read versions of rows");
  }
  // RocksDB takes a block that it cannot read for the end, and says nothing: neither it nor an iterator, which does,
  // may find more behind that.
  absl::Status SeeThatItEnds(const std::string& from) const {
    std::vector<rocksdb::KeyVersion> more;
    if (auto status = Read(from, more); !status.ok()) return status;
    const std::unique_ptr<rocksdb::Iterator> rows(db_->NewIterator({}, family_));
    rows->Seek(from);
    if (auto status = ToStatus(rows->status(), "read rows to their end"); !status.ok()) return status;
    return more.empty() && !rows->Valid() ? absl::OkStatus() : absl::InternalError("rows were not read to their end");
  }

  rocksdb::DB* db_;
  rocksdb::ColumnFamilyHandle* family_;
  std::size_t page_size_;
  std::vector<rocksdb::KeyVersion> page_;  // of one key the newest first
  std::size_t at_ = 0;
};

// Those who read it later take a block that cannot be read for the end of a table, or end the process.
absl::Status ReadThrough(rocksdb::SstFileReader& table) {
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> rows(table.NewIterator(options));
  rows->SeekToFirst();
  while (rows->Valid()) rows->Next();
  return ToStatus(rows->status(), "read its rows");
}

// Of several sources the newest version of each key, in order of the keys.
class Merged {
 public:
  // In order of their age: the oldest first.
  explicit Merged(std::vector<Versions> sources) : sources_(std::move(sources)) {}

  absl::Status Begin() {
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      if (auto status = sources_[i].Begin(); !status.ok()) return status;
      Add(i);
    }
    return absl::OkStatus();
  }
  bool Valid() const { return !heap_.empty(); }
  const rocksdb::KeyVersion& newest() const { return sources_[heap_.front()].newest(); }
  absl::Status Next() {
    const std::string key = newest().user_key;
    while (Valid() && newest().user_key == key) {
      std::pop_heap(heap_.begin(), heap_.end(), [this](auto a, auto b) { return Later(a, b); });
      const std::size_t source = heap_.back();
      heap_.pop_back();
      if (auto status = sources_[source].Next(); !status.ok()) return status;
      Add(source);
    }
    return absl::OkStatus();
  }

 private:
  bool Later(std::size_t a, std::size_t b) const {
    const rocksdb::KeyVersion &left = sources_[a].newest(), &right = sources_[b].newest();
    const int order = left.user_key.compare(right.user_key);
    if (order != 0) return order > 0;
    // Of two without a number the later table is what a compaction made of the other.
    return std::pair(left.sequence, a) < std::pair(right.sequence, b);
  }
  void Add(std::size_t source) {
    if (!sources_[source].Valid()) return;
    heap_.push_back(source);
    std::push_heap(heap_.begin(), heap_.end(), [this](auto a, auto b) { return Later(a, b); });
  }

  std::vector<Versions> sources_;
  std::vector<std::size_t> heap_;  // those with rows left; the least key in front, of one key the newest
};

// A database in which the log was replayed, and each table is a family of its own.
class Scratch {
 public:
  // Tables of those numbers are left out.
  Scratch(const RocksStoreOptions& options, std::set<std::uint64_t> replaced)
      : from_(options.path), replaced_(std::move(replaced)), cache_(rocksdb::NewLRUCache(options.block_cache_bytes)) {
    options_ = options;
    options_.path = absl::StrCat(options.path, ".scratch");
    options_.create = true;
    options_.read_only = false;
    options_.file_system = nullptr;
  }
  ~Scratch() {
    Close();
    std::error_code ignored;
    fs::remove_all(options_.path, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  absl::Status TakeAll();
  // Its rows, into `to`.
  absl::Status Pour(Family family, RocksStore& to);
  // Once all are poured: no row or deletion has that number or a later one. A compaction takes numbers away, and then
  // nobody can tell.
  bool LacksRow(std::uint64_t number) const { return !without_number_ && highest_row_ < number; }

 private:
  absl::Status Open();
  void Close();
  absl::Status TakeLogs();
  absl::Status TakeTables();
  absl::Status TakeTable(const fs::path& table);
  absl::Status Import(const fs::path& table, Family family);
  absl::Status NoteRanges(const rocksdb::TableProperties& properties, const std::string& table, Family family);
  // Without filters: a damaged one costs no row here.
  rocksdb::ColumnFamilyOptions PlainFamily() const {
    rocksdb::ColumnFamilyOptions options = FamilyOptions(Family::kMeta, options_, cache_);
    options.disable_auto_compactions = true;
    return options;
  }

  const std::string from_;
  const std::set<std::uint64_t> replaced_;
  RocksStoreOptions options_;
  const std::shared_ptr<rocksdb::Cache> cache_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> logged_;  // by family: what the log had
  std::array<std::vector<rocksdb::ColumnFamilyHandle*>, kFamilies> tables_;
  std::array<std::vector<DeletedRange>, kFamilies> ranges_;
  std::uint64_t highest_row_ = 0;
  bool without_number_ = false;
};

absl::Status Scratch::Open() {
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const char* name : kFamilyNames) families.emplace_back(name, PlainFamily());
  rocksdb::DB* db = nullptr;
  const auto status =
      rocksdb::DB::Open(DatabaseOptions(options_, rocksdb::Env::Default()), options_.path, families, &logged_, &db);
  db_.reset(db);
  return ToStatus(status, absl::StrCat("replay the log of ", from_));
}

void Scratch::Close() {
  if (!db_) return;
  for (auto& tables : tables_) logged_.insert(logged_.end(), tables.begin(), tables.end());
  for (auto* family : logged_) db_->DestroyColumnFamilyHandle(family).PermitUncheckedError();
  logged_.clear();
  db_->Close().PermitUncheckedError();
  db_.reset();
}

absl::Status Scratch::TakeAll() {
  if (auto status = Open(); !status.ok()) return status;  // makes the families, with their numbers
  Close();
  if (auto status = TakeLogs(); !status.ok()) return status;
  if (auto status = Open(); !status.ok()) return status;
  for (std::size_t i = 0; i < kFamilies; ++i) {
    rocksdb::TablePropertiesCollection written;
    auto status = ToStatus(db_->GetPropertiesOfAllTables(logged_[i], &written), "read what the log had");
    for (auto it = written.begin(); status.ok() && it != written.end(); ++it)
      status = NoteRanges(*it->second, it->first, static_cast<Family>(i));
    if (!status.ok()) return status;
  }
  return TakeTables();
}

// Under numbers above those of the scratch database, so that it replays them all.
absl::Status Scratch::TakeLogs() {
  constexpr std::uint64_t kFirst = 1'000'000;
  const auto own = FilesOf(options_.path, ".log");
  if (!own.ok()) return own.status();
  std::error_code error;
  for (const fs::path& log : *own) fs::remove(log, error);
  const auto logs = FilesOf(from_, ".log");
  if (!logs.ok()) return logs.status();
  std::uint64_t number = kFirst;
  for (const fs::path& log : *logs) {
    fs::copy_file(log, absl::StrCat(options_.path, "/", number++, ".log"), error);
    if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot copy ", log.string()));
  }
  return absl::OkStatus();
}

absl::Status Scratch::TakeTables() {
  const auto tables = FilesOf(from_, ".sst");
  if (!tables.ok()) return tables.status();
  for (const fs::path& table : *tables) {
    std::uint64_t number = 0;
    if (absl::SimpleAtoi(table.stem().string(), &number) && replaced_.contains(number)) continue;
    const auto finished = IsFinished(table);
    if (!finished.ok()) return finished.status();
    if (!*finished) continue;
    if (auto status = TakeTable(table); !status.ok()) {
      return {MayPass(status) ? status.code() : absl::StatusCode::kDataLoss,
              absl::StrCat("cannot read ", table.string(), ": ", status.message())};
    }
  }
  return absl::OkStatus();
}

absl::Status Scratch::TakeTable(const fs::path& table) {
  rocksdb::SstFileReader reader(rocksdb::Options(rocksdb::DBOptions(), PlainFamily()));
  if (auto status = reader.Open(table.string()); !status.ok()) return ToStatus(status, "open it");
  if (auto status = ReadThrough(reader); !status.ok()) return status;
  const auto properties = reader.GetTableProperties();
  const auto name = std::find(kFamilyNames.begin(), kFamilyNames.end(), properties->column_family_name);
  if (name == kFamilyNames.end()) return absl::DataLossError("it does not say what rows it holds");
  const auto family = static_cast<Family>(name - kFamilyNames.begin());
  if (auto status = NoteRanges(*properties, table.string(), family); !status.ok()) return status;
  return properties->num_entries == properties->num_range_deletions ? absl::OkStatus() : Import(table, family);
}

absl::Status Scratch::Import(const fs::path& table, Family family) {
  rocksdb::LiveFileMetaData file;
  file.name = absl::StrCat("/", table.filename().string());
  file.db_path = table.parent_path().string();
  rocksdb::ExportImportFilesMetaData files;
  files.db_comparator_name = rocksdb::BytewiseComparator()->Name();
  files.files.push_back(file);
  rocksdb::ImportColumnFamilyOptions import;
  import.move_files = true;  // the file itself, under another name: not a second copy, and the first is gone
  rocksdb::ColumnFamilyHandle* handle = nullptr;
  const auto status =
      db_->CreateColumnFamilyWithImport(PlainFamily(), absl::StrCat("table", file.name), import, files, &handle);
  if (!status.ok()) return ToStatus(status, "take it");
  tables_[static_cast<std::size_t>(family)].push_back(handle);
  return absl::OkStatus();
}

absl::Status Scratch::NoteRanges(const rocksdb::TableProperties& properties, const std::string& table, Family family) {
  const auto noted = properties.user_collected_properties.find(kDeletedRangesProperty);
  if (noted == properties.user_collected_properties.end()) {
    if (properties.num_range_deletions == 0) return absl::OkStatus();
    return absl::DataLossError(absl::StrCat(table, " does not say which rows it deletes"));
  }
  auto ranges = DecodeDeletedRanges(noted->second);
  if (!ranges.ok()) return ranges.status();
  auto& all = ranges_[static_cast<std::size_t>(family)];
  std::move(ranges->begin(), ranges->end(), std::back_inserter(all));
  return absl::OkStatus();
}

absl::Status Scratch::Pour(Family family, RocksStore& to) {
  constexpr std::size_t kBatchBytes = 1 << 20, kVersions = 16'384;
  const auto number = static_cast<std::size_t>(family);
  const std::size_t page = std::clamp<std::size_t>(kVersions / (tables_[number].size() + 1), 8, 128);
  std::vector<Versions> sources{{*db_, logged_[number], page}};
  for (auto* table : tables_[number]) sources.emplace_back(*db_, table, page);
  Merged rows(std::move(sources));
  for (const DeletedRange& range : ranges_[number]) highest_row_ = std::max(highest_row_, range.sequence);
  DeletedRangesSweep deleted(std::move(ranges_[number]));
  Batch batch;
  auto status = rows.Begin();
  for (; status.ok() && rows.Valid(); status = rows.Next()) {
    const rocksdb::KeyVersion& row = rows.newest();
    highest_row_ = std::max<std::uint64_t>(highest_row_, row.sequence);
    without_number_ |= row.sequence == 0;
    const std::string type = row.GetTypeName();
    if (type == "TypeDeletion") continue;
    if (type != "TypeValue")
      return absl::DataLossError(absl::StrCat("there are rows of a kind that smsflow does not write: ", type));
    if (deleted.Covering(row.user_key) > row.sequence) continue;
    batch.Put(family, row.user_key, row.value);
    if (batch.bytes() < kBatchBytes) continue;
    if (auto written = to.Write(batch, Sync::kNo); !written.ok()) return written;
    batch.Clear();
  }
  return status.ok() ? to.Write(batch, Sync::kYes) : status;
}

// RocksDB would end the process in the midst of it. Rows are written once, those
// of the log three times.
absl::Status CheckRoom(const RocksStoreOptions& options) {
  std::error_code error;
  std::uint64_t needed = RocksStore::ReserveBytes(options.memtable_bytes);
  for (fs::directory_iterator it(options.path, error), end; !error && it != end;) {
    needed += (it->path().extension() == ".log" ? 3 : 1) * it->file_size(error);
    if (!error) it.increment(error);
  }
  const auto room = error ? fs::space_info() : fs::space(options.path, error);
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot measure ", options.path));
  if (room.available >= needed) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat("to make the database anew takes ", needed >> 20,
                                                   " MB more on the disk, and ", room.available >> 20, " MB are free"));
}

absl::Status MissingRows(const std::string& dropped) {
  return absl::DataLossError(absl::StrCat("acknowledged data is missing: ", dropped));
}

// Between two logs rows are missing, and only those behind reach row `acknowledged`: those before it were in tables
// already, and a crash brought them back, or kept them, without the others that were deleted with them.
bool AreOld(const std::vector<LogFile>& logs, const LogDamage& damage, std::uint64_t acknowledged) {
  const auto reaches = [=](const LogFile& log) { return acknowledged != 0 && log.end.next_row > acknowledged; };
  const auto& last = logs[damage.log];
  return last.end.kind != LogEnd::kDamaged && !reaches(last) &&
         std::any_of(logs.begin() + static_cast<std::ptrdiff_t>(damage.log) + 1, logs.end(), reaches);
}

// Those before `end`.
absl::Status Remove(std::vector<LogFile>& logs, std::vector<LogFile>::iterator end) {
  for (auto log = logs.begin(); log != end; ++log)
    if (std::error_code error; !fs::remove(log->path, error))
      return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot remove ", log->path));
  logs.erase(logs.begin(), end);
  return absl::OkStatus();
}

// Ends the logs, from number `first` on, where they are damaged, or where one does not go on from the one before. That
// may be one that nobody needs any more, which only the list of tables would tell; then too much is dropped, and so it
// is said.
absl::StatusOr<std::string> EndLogs(const std::string& folder, std::uint64_t first, std::uint64_t acknowledged) {
  auto found = LookAtLogs(*rocksdb::FileSystem::Default(), folder);
  if (!found.ok()) return found.status();
  std::vector<LogFile> logs = *std::move(found);
  const auto needed = std::find_if(logs.begin(), logs.end(), [=](const LogFile& log) { return log.number >= first; });
  if (auto status = Remove(logs, needed); !status.ok()) return status;
  if (auto status = AllWereRead(logs, 0); !status.ok()) return status;
  auto damage = FindDamage(logs, 0);
  std::string dropped;
  for (; damage && AreOld(logs, *damage, acknowledged); damage = FindDamage(logs, 0)) {
    const auto end = logs.begin() + static_cast<std::ptrdiff_t>(damage->log) + 1;
    dropped = absl::StrCat(damage->what, "; only what is behind it counts");
    if (auto status = Remove(logs, end); !status.ok()) return status;
  }
  const std::string at_end = damage ? damage->what : TornEnd(logs);
  if (at_end.empty()) return dropped;
  dropped = dropped.empty() ? at_end : absl::StrCat(dropped, "; ", at_end);
  // A log without a whole record says nothing: what was acknowledged may be in tables, which are looked at later.
  const LogFile& last = damage ? logs[damage->log] : *LastLog(logs);
  if (last.end.next_row != 0 && last.end.next_row <= acknowledged) return MissingRows(dropped);
  if (damage)
    if (auto status = CutLogs(logs, *damage); !status.ok()) return status;
  return dropped;
}

}  // namespace

absl::StatusOr<std::string> MakeAnew(const RocksStoreOptions& options, std::uint64_t acknowledged) {
  if (auto status = CheckRoom(options); !status.ok()) return status;
  auto old = FindOldFiles(*rocksdb::FileSystem::Default(), options.path);
  if (!old.ok()) return old.status();
  auto dropped = EndLogs(options.path, old->first_log, acknowledged);
  if (!dropped.ok()) return dropped.status();
  auto scratch = std::make_unique<Scratch>(options, std::move(old->tables));
  if (auto status = scratch->TakeAll(); !status.ok()) return status;
  RocksStoreOptions fresh = options;
  fresh.path = absl::StrCat(options.path, ".fresh");
  fresh.create = true;
  fresh.cut_log = false;
  fresh.file_system = nullptr;
  auto store = RocksStore::Open(fresh);
  if (!store.ok()) return store.status();
  for (std::size_t i = 0; i < kFamilies; ++i)
    if (auto status = scratch->Pour(static_cast<Family>(i), **store); !status.ok()) return status;
  if (!dropped->empty() && scratch->LacksRow(acknowledged)) return MissingRows(*dropped);
  scratch.reset();  // its room is needed
  if (auto status = (*store)->Compact(); !status.ok()) return status;
  store->reset();
  std::error_code error;
  fs::remove_all(options.path, error);
  if (!error) fs::rename(fresh.path, options.path, error);
  if (error) return absl::ErrnoToStatus(error.value(), absl::StrCat("cannot put ", fresh.path, " in its place"));
  return dropped;
}

}  // namespace smsflow::storage
