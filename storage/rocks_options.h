// How smsflow sets RocksDB up: one way for the store (rocks_store.h) and for what makes one anew (salvage.h). An
// internal header of storage/, for .cc files that include RocksDB anyway.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "rocksdb/cache.h"
#include "rocksdb/db.h"
#include "rocksdb/options.h"
#include "storage/rocks_store.h"

namespace smsflow::storage {

// In the order of Family: RocksDB numbers families in the order in which they are created.
inline constexpr std::array<const char*, kFamilies> kFamilyNames{"default", "instances", "journal", "queues",
                                                                 "indexes"};

// `env` must outlive the database.
rocksdb::DBOptions DatabaseOptions(const RocksStoreOptions& options, rocksdb::Env* env);
rocksdb::ColumnFamilyOptions FamilyOptions(Family family, const RocksStoreOptions& options,
                                           const std::shared_ptr<rocksdb::Cache>& cache);
// Of all families, in their order.
std::vector<rocksdb::ColumnFamilyDescriptor> FamilyDescriptors(const RocksStoreOptions& options,
                                                               const std::shared_ptr<rocksdb::Cache>& cache);
// What the log may grow to.
std::uint64_t LogBytesMax(std::uint64_t memtable_bytes);

}  // namespace smsflow::storage
