// crash_writer FOLDER sync|no-sync: writes to a data folder on the crash file system for as long as it lives, and says
// `+` on its standard output for each batch that the store took. Its marks are always synced.
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "storage/data_folder.h"
#include "storage/journal.h"
#include "tests/crash/crash_file_system.h"

namespace storage = smsflow::storage;

int main(int argc, char** argv) {
  if (argc != 3) return 64;
  const auto sync = std::string_view(argv[2]) == "sync" ? storage::Sync::kYes : storage::Sync::kNo;
  storage::DataFolderOptions options;
  options.path = argv[1];
  options.shards = 1;
  options.ballast_bytes = 1 << 20;
  options.memtable_bytes = 256 << 10;
  options.file_system = smsflow::crash::MakeCrashFileSystem();
  auto folder = storage::DataFolder::Open(options);
  if (!folder.ok()) {
    std::fprintf(stderr, "%s\n", std::string(folder.status().message()).c_str());
    return 1;
  }
  storage::ChainHead head;
  const smsflow::ShardId shard{0};
  constexpr int kBatchesMax = 100'000;  // should nobody kill it
  for (int i = 0; i < kBatchesMax; ++i) {
    storage::Batch batch;
    storage::AppendJournal(batch, shard, head, 0, smsflow::InstanceId::Make(1, shard, head.sequence),
                           std::string(1000, 'b'));
    if (!(*folder)->store().Write(batch, sync).ok()) return 2;
    (*folder)->high_water().Note(shard, {0, head.sequence});
    if (head.sequence % 10 == 0 && !(*folder)->high_water().Save().ok()) return 3;
    if (::write(STDOUT_FILENO, "+", 1) != 1) return 4;
  }
  return 5;
}
