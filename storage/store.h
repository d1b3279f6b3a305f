// The one way to what is stored. Behind it stands RocksDB (rocks_store.h) or, in tests and simulations, ordered maps
// that can lose what was not synced (memory_store.h).
//
// A Batch is applied wholly or not at all, over all families. Writes are made by one thread per shard; reads may come
// from any thread at any time and see whole batches. Write() with Sync::kYes blocks for the disk; the rest blocks only
// for a read from it. An error of Write() is indefinite (the batch may or may not be there): the only right answer is
// to end the process and recover.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rocksdb {
class WriteBatch;
}

namespace smsflow::storage {

// What is kept apart because it is written and forgotten in a rhythm of its own.
enum class Family : std::uint8_t { kMeta = 0, kInstances = 1, kJournal = 2, kQueues = 3, kIndexes = 4 };
inline constexpr int kFamilies = 5;

enum class Sync : bool { kNo, kYes };

// Rows are kept apart by family and written family after family: neighbours in the log are neighbours in a memtable,
// which is worth a tenth of the write. The order of writes to one key stays, for a key is of one family.
class Batch {
 public:
  Batch();
  ~Batch();
  Batch(Batch&&) noexcept;
  Batch& operator=(Batch&&) noexcept;

  void Put(Family family, std::string_view key, std::string_view value);
  void Delete(Family family, std::string_view key);
  // [from, till); two operations, for the first key goes by itself.
  void DeleteRange(Family family, std::string_view from, std::string_view till);
  void Clear();

  std::uint32_t operations() const;
  std::size_t bytes() const;

  // All of it as one, for stores only; copies.
  rocksdb::WriteBatch Joined() const;

 private:
  rocksdb::WriteBatch& Of(Family family);

  std::unique_ptr<rocksdb::WriteBatch[]> parts_;  // by family
};

// Rows of one family with keys in [from, till), in order; `reverse` begins at the end. It sees the store as it was when
// it was made. Not thread-safe; must not outlive its store. Keys and values are good until the next move.
class Cursor {
 public:
  virtual ~Cursor() = default;
  virtual bool Valid() const = 0;
  virtual std::string_view key() const = 0;
  virtual std::string_view value() const = 0;
  virtual void Next() = 0;  // REQUIRES Valid(); goes backwards when made so
  // Not OK: Valid() turned false because of an error and not because of the end.
  virtual absl::Status status() const = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  // nullopt: no such row.
  virtual absl::StatusOr<std::optional<std::string>> Get(Family family, std::string_view key) const = 0;
  virtual std::unique_ptr<Cursor> Scan(Family family, std::string_view from, std::string_view till,
                                       bool reverse = false) const = 0;
  [[nodiscard]] virtual absl::Status Write(const Batch& batch, Sync sync) = 0;
  // The store as it is now, whatever is written later: for whoever must see several tables as of one moment. It keeps
  // old versions alive, so hold it for a shard's work and not for hours; it must not outlive the store. What is not
  // overridden shows the present, which is the same where nobody writes meanwhile.
  virtual std::unique_ptr<Store> Frozen() const;
};

// The first key after all that begin with `prefix`.
std::string PrefixEnd(std::string_view prefix);

}  // namespace smsflow::storage
