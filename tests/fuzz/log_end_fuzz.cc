// Where a log of RocksDB ends, and the ranges that a table deletes: both are read before RocksDB has looked at a byte.
// The first byte says what the others are: a log as it is, one made of records and then cut or damaged, or a property.
#include <fuzzer/FuzzedDataProvider.h>

#include <string>

#include "rocksdb/file_system.h"
#include "storage/crc32c.h"
#include "storage/deleted_ranges.h"
#include "storage/log_end.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/memory_file.h"

namespace storage = smsflow::storage;
using smsflow::fuzz::Require;
using storage::LogEnd;
using storage::LogOf;

namespace {

constexpr std::size_t kBlock = 32 << 10, kHeader = 7;

LogEnd EndOf(std::string_view log, LogOf of) {
  static const smsflow::fuzz::MemoryFile file("log");
  file.Hold(log);
  const auto end = storage::FindLogEnd(*rocksdb::FileSystem::Default(), file.path(), of);
  Require(end.ok() && end->bytes == log.size() && end->whole_bytes <= end->bytes, "a file that is there has an end");
  return *end;
}

void AddPart(std::string& log, char type, std::string_view bytes) {
  const std::string summed = type + std::string(bytes);
  const std::uint32_t crc = storage::Crc32c(summed), masked = (crc >> 15 | crc << 17) + 0xA282EAD8U;
  for (int i = 0; i < 4; ++i) log.push_back(static_cast<char>(masked >> (8 * i)));
  for (int i = 0; i < 2; ++i) log.push_back(static_cast<char>(bytes.size() >> (8 * i)));
  log += summed;
}

// As RocksDB writes it: into blocks, in parts where it does not fit.
void AddRecord(std::string& log, std::string_view bytes) {
  for (bool first = true, last = false; !last; first = false) {
    if (kBlock - log.size() % kBlock < kHeader) log.resize((log.size() / kBlock + 1) * kBlock);
    const std::size_t room = kBlock - log.size() % kBlock - kHeader;
    last = bytes.size() <= room;
    AddPart(log, static_cast<char>(first && last ? 1 : first ? 2 : last ? 4 : 3), bytes.substr(0, room));
    bytes.remove_prefix(std::min(room, bytes.size()));
  }
}

void Any(std::string_view log) {
  for (const LogOf of : {LogOf::kRows, LogOf::kTables}) {
    const LogEnd end = EndOf(log, of);
    const LogEnd alone = EndOf(log.substr(0, end.whole_bytes), of);
    Require(alone.kind == LogEnd::kWhole && alone.next_row == end.next_row, "what is whole stays whole alone");
  }
}

// As rows stand in it: the number of the first, how many, and what they are; here also what has the form of a record.
std::string BatchOf(std::uint64_t& row, FuzzedDataProvider& bytes, std::string_view log) {
  const auto rows = bytes.ConsumeIntegralInRange<std::uint32_t>(0, 9);
  std::string batch;
  for (int i = 0; i < 8; ++i) batch.push_back(static_cast<char>(row >> (8 * i)));
  for (int i = 0; i < 4; ++i) batch.push_back(static_cast<char>(rows >> (8 * i)));
  row += rows;
  batch.append(bytes.ConsumeIntegralInRange<std::size_t>(rows, 40'000), bytes.ConsumeIntegral<char>());
  if (bytes.ConsumeBool()) batch += log.substr(0, 500);
  return batch;
}

void Made(FuzzedDataProvider& bytes) {
  std::string log;
  const auto first = bytes.ConsumeIntegralInRange<std::uint64_t>(100'000, 1ULL << 55);
  std::uint64_t row = first;
  for (int i = bytes.ConsumeIntegralInRange(1, 12); i > 0; --i) AddRecord(log, BatchOf(row, bytes, log));
  const LogEnd whole = EndOf(log, LogOf::kRows);
  Require(whole.kind == LogEnd::kWhole && whole.whole_bytes == log.size(), "what was written is whole");
  Require(whole.first_row == first && whole.next_row == row, "its rows are known by their numbers");
  const std::size_t cut = bytes.ConsumeIntegralInRange<std::size_t>(0, log.size());
  const LogEnd end = EndOf(std::string_view(log).substr(0, cut), LogOf::kRows);
  Require((end.whole_bytes == log.size()) == (cut == log.size()), "a cut takes something away");
  Require(end.kind != LogEnd::kDamaged, "a cut is a cut, whatever rows look like");
  const std::size_t at = bytes.ConsumeIntegralInRange<std::size_t>(0, log.size() - 1);
  log[at] = static_cast<char>(log[at] ^ (1 << bytes.ConsumeIntegralInRange(0, 7)));
  const LogEnd flipped = EndOf(log, LogOf::kRows);
  Require(flipped.whole_bytes <= at || flipped.kind == LogEnd::kWhole, "nothing behind a flipped bit is whole");
}

void Property(std::string_view bytes) {
  const auto ranges = storage::DecodeDeletedRanges(bytes);
  Require(!ranges.ok() || storage::EncodeDeletedRanges(*ranges) == bytes, "encode(decode(x)) is x");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  FuzzedDataProvider bytes(data + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      Any(smsflow::fuzz::View(data + 1, size - 1));
      break;
    case 1:
      Made(bytes);
      break;
    default:
      Property(smsflow::fuzz::View(data + 1, size - 1));
  }
  return 0;
}
