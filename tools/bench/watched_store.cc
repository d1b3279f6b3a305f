#include "tools/bench/watched_store.h"

#include <utility>

#include "rocksdb/slice.h"
#include "rocksdb/write_batch.h"
#include "storage/keys.h"

namespace smsflow::bench {
namespace {

constexpr std::size_t kPrefix = 3;  // kind and shard

class Reader : public rocksdb::WriteBatch::Handler {
 public:
  explicit Reader(std::int64_t now_ms) : now_ms_(now_ms) {}

  rocksdb::Status PutCF(std::uint32_t family, const rocksdb::Slice& key, const rocksdb::Slice& value) override {
    return Add(family, key, value.ToString(), false);
  }
  rocksdb::Status DeleteCF(std::uint32_t family, const rocksdb::Slice& key) override {
    return Add(family, key, "", true);
  }
  rocksdb::Status DeleteRangeCF(std::uint32_t, const rocksdb::Slice&, const rocksdb::Slice&) override { return {}; }

  BatchShape rows;

 private:
  rocksdb::Status Add(std::uint32_t family, const rocksdb::Slice& key, std::string value, bool deleted) {
    RowShape row;
    row.family = static_cast<storage::Family>(family);
    row.kind = key[0];
    row.deleted = deleted;
    row.key_bytes = key.size();
    row.key = key.ToString();
    row.value = std::move(value);
    const std::string_view bytes(key.data(), key.size());
    if (row.kind == 'k' || row.kind == 'P') return {};
    if (row.kind == 'i') row.name = static_cast<std::uint16_t>(storage::ReadBigEndian(bytes.substr(kPrefix, 2)));
    if (const auto timer = storage::TimerKey::Decode(bytes)) {
      row.name = timer->name;
      row.due_after_ms = timer->due_ms - now_ms_;
    }
    rows.push_back(std::move(row));
    return {};
  }

  const std::int64_t now_ms_;
};

}  // namespace

absl::Status WatchedStore::Write(const storage::Batch& batch, storage::Sync sync) {
  Reader reader(clock_.now_ms);
  if (!batch.Joined().Iterate(&reader).ok()) return absl::DataLossError("a batch cannot be read");
  seen_.insert(seen_.end(), reader.rows.begin(), reader.rows.end());
  return rows_.Write(batch, sync);
}

BatchShape WatchedStore::Take() { return std::exchange(seen_, {}); }

}  // namespace smsflow::bench
