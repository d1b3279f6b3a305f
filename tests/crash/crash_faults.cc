#include "tests/crash/crash_faults.h"

#include <signal.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

namespace smsflow::crash {
namespace {

using rocksdb::IOStatus;

constexpr std::array<std::pair<std::string_view, Fault>, 5> kFaults{{{"kill-before", Fault::kKillBefore},
                                                                     {"kill-after", Fault::kKillAfter},
                                                                     {"fail-before", Fault::kFailBefore},
                                                                     {"fail-after", Fault::kFailAfter},
                                                                     {"full", Fault::kFull}}};
constexpr std::array<std::pair<std::string_view, FileKind>, 6> kKinds{{{"log", FileKind::kLog},
                                                                       {"table", FileKind::kTable},
                                                                       {"manifest", FileKind::kManifest},
                                                                       {"mark", FileKind::kMark},
                                                                       {"directory", FileKind::kDirectory},
                                                                       {"any", FileKind::kAny}}};

template <class Names>
auto Find(const Names& names, std::string_view name) -> decltype(&names[0].second) {
  for (const auto& entry : names) {
    if (entry.first == name) return &entry.second;
  }
  return nullptr;
}

// One write, so that a line is whole even if the process dies right after it.
void Say(const std::string& what) {
  const std::string line = "crashfs: " + what + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

[[noreturn]] void Die(const char* when) {
  Say(std::string("killed ") + when + " a sync");
  ::raise(SIGKILL);
  std::abort();
}

}  // namespace

FileKind KindOf(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  if (name.ends_with(".log")) return FileKind::kLog;
  if (name.ends_with(".sst")) return FileKind::kTable;
  if (name.starts_with("OPTIONS")) return FileKind::kOther;  // RocksDB goes on without them, and rightly
  if (name.starts_with("MANIFEST") || name.starts_with("CURRENT") || name.ends_with(".dbtmp")) {
    return FileKind::kManifest;
  }
  return name.starts_with("high-water") ? FileKind::kMark : FileKind::kOther;
}

Faults Faults::FromEnvironment() {
  Faults faults;
  if (const char* free = std::getenv("CRASHFS_FREE")) faults.free_file_ = free;
  const char* text = std::getenv("CRASHFS_FAULT");
  if (text == nullptr) return faults;
  const std::string order = text;
  const std::size_t first = order.find(':'), second = order.find(':', first + 1);
  const auto* fault = Find(kFaults, std::string_view(order).substr(0, first));
  const auto* kind = second == std::string::npos
                         ? nullptr
                         : Find(kKinds, std::string_view(order).substr(first + 1, second - first - 1));
  const std::uint64_t number = kind == nullptr ? 0 : std::strtoull(order.c_str() + second + 1, nullptr, 10);
  if (fault == nullptr || number == 0) {
    Say("CRASHFS_FAULT is not WHAT:FILES:N");
    std::exit(64);
  }
  faults.order_ = Order{*fault, *kind, number};
  return faults;
}

bool Faults::Concerns(FileKind kind) const {
  return order_.has_value() && (order_->files == FileKind::kAny || order_->files == kind);
}

IOStatus Faults::Sync(FileKind kind, const std::function<IOStatus()>& sync) {
  if (!Concerns(kind) || order_->fault == Fault::kFull || ++count_ != order_->number) return sync();
  switch (order_->fault) {
    case Fault::kKillBefore:
      Die("before");
    case Fault::kKillAfter:
      if (auto status = sync(); !status.ok()) return status;
      Die("after");
    case Fault::kFailAfter:
      Say("a sync fails, and took effect");
      if (auto status = sync(); !status.ok()) return status;
      return IOStatus::IOError("sync", "failed on order, after it took effect");
    case Fault::kFailBefore:
    case Fault::kFull:
      break;
  }
  Say("a sync fails");
  return IOStatus::IOError("sync", "failed on order");
}

IOStatus Faults::Write(FileKind kind) {
  if (!Concerns(kind) || order_->fault != Fault::kFull) return IOStatus::OK();
  const std::uint64_t count = ++count_;
  if (count < order_->number) return IOStatus::OK();
  if (count == order_->number) Say("the disk is full");
  return IOStatus::NoSpace("write", "no space, on order");
}

std::optional<std::uint64_t> Faults::FreeBytes() const {
  if (free_file_.empty()) return std::nullopt;
  std::ifstream in(free_file_);
  std::uint64_t bytes = 0;
  if (!(in >> bytes)) return std::nullopt;
  return bytes;
}

}  // namespace smsflow::crash
