// Preloaded into a real process: the n-th of its calls to the system on files of its data folder fails, once; and its
// wall clock is as wrong as a file says. Nothing else is different.
//
//   CALL_FAULT=CALL:ERROR:N   CALL is open (also openat), write (also pwrite, writev, pwritev), fdatasync (also fsync)
//                             or rename (also renameat), ERROR is EIO, ENOSPC or short (of a write: half of it is
//                             written and said so, which is no error), N from 1
//   CALL_FAULT_UNDER=FOLDER   counted are files in it, but for logs for people, options and locks: a database rightly
//                             goes on without those
//   CALL_FAULT_MEMORY=1       a fault of memory says in which library it was, when it was where there is never any
//   CALL_FAULT_CLOCK=FILE     of 8 bytes, milliseconds that are added to the wall clock; read at every call
//
// What comes true is said in one line on standard error, before it does. An order that cannot be read ends the process
// with 64, for nobody would notice that nothing fails.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace {

enum class Call { kOpen, kWrite, kSync, kRename };
constexpr const char* kCalls[] = {"open", "write", "fdatasync", "rename"};
constexpr const char* kErrors[] = {"EIO", "ENOSPC", "short"};
constexpr int kErrorNumbers[] = {EIO, ENOSPC, 0};

struct Order {
  bool given = false;
  Call call = Call::kOpen;
  int error = 0;  // 0: short
  std::uint64_t number = 0;
  char under[4096] = "";
};

[[noreturn]] void Refuse() {
  std::fputs("call-faults cannot read CALL_FAULT, or has no CALL_FAULT_UNDER\n", stderr);
  ::_exit(64);
}

// Whether it stands in `names`, and where.
template <std::size_t N>
int Find(const char* const (&names)[N], const char* name) {
  for (std::size_t i = 0; i < N; ++i)
    if (std::strcmp(name, names[i]) == 0) return static_cast<int>(i);
  Refuse();
}

Order ReadOrder() {
  Order order;
  const char* text = std::getenv("CALL_FAULT");
  if (text == nullptr) return order;
  const char* under = std::getenv("CALL_FAULT_UNDER");
  char call[16] = "", error[16] = "", more = '\0';
  unsigned long long number = 0;
  if (under == nullptr || std::sscanf(text, "%15[a-z]:%15[A-Za-z]:%llu%c", call, error, &number, &more) != 3 ||
      number == 0)
    Refuse();
  order.call = static_cast<Call>(Find(kCalls, call));
  order.error = kErrorNumbers[Find(kErrors, error)];
  if (order.error == 0 && order.call != Call::kWrite) Refuse();
  order.number = number;
  order.given = true;
  std::snprintf(order.under, sizeof order.under, "%s", under);
  return order;
}

// Before main(), and never destroyed: other libraries call in while they are set up.
const Order& TheOrder() {
  static const Order order = ReadOrder();
  return order;
}

template <class Function>
Function Real(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

bool Counts(const char* path) {
  const Order& order = TheOrder();
  if (std::strncmp(path, order.under, std::strlen(order.under)) != 0) return false;
  const char* slash = std::strrchr(path, '/');
  const char* name = slash == nullptr ? path : slash + 1;
  for (const char* other : {"LO", "OPTIONS", "IDENTITY", "ballast"})
    if (std::strncmp(name, other, std::strlen(other)) == 0) return false;
  struct stat info {};
  return ::stat(path, &info) != 0 || !S_ISDIR(info.st_mode);
}

bool Comes(Call call, const char* path) {
  static std::atomic<std::uint64_t> count{0};
  const Order& order = TheOrder();
  if (!order.given || order.call != call) return false;
  const int error = errno;
  const bool comes = Counts(path) && ++count == order.number;
  if (comes) {
    char line[256];
    const char* slash = std::strrchr(path, '/');
    const int size = std::snprintf(line, sizeof line, "call-faults: %s number %llu fails (%s) on %s\n",
                                   kCalls[static_cast<int>(call)], static_cast<unsigned long long>(order.number),
                                   order.error == EIO      ? "EIO"
                                   : order.error == ENOSPC ? "ENOSPC"
                                                           : "short",
                                   slash == nullptr ? path : slash + 1);
    static const auto write = Real<ssize_t (*)(int, const void*, size_t)>("write");
    if (write(2, line, static_cast<size_t>(size)) < 0) std::abort();
  }
  errno = error;
  return comes;
}

bool Comes(Call call, int fd) {
  if (!TheOrder().given || TheOrder().call != call) return false;
  char link[32], path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const int error = errno;
  const ssize_t size = ::readlink(link, path, sizeof path - 1);
  errno = error;
  if (size <= 0) return false;
  path[size] = '\0';
  return Comes(call, path);
}

int Fail() {
  errno = TheOrder().error == 0 ? EIO : TheOrder().error;
  return -1;
}

// As in code that does not look whether it was given memory. The fault comes again when this returns, and ends the
// process as it would have.
void SayWhere(int, siginfo_t* info, void* context) {
#if defined(__x86_64__)
  const auto at = static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
  const auto at = static_cast<ucontext_t*>(context)->uc_mcontext.pc;
#endif
  Dl_info where{};
  if (reinterpret_cast<std::uintptr_t>(info->si_addr) >= 4096) return;
  if (::dladdr(reinterpret_cast<void*>(at), &where) == 0) return;
  char line[256];
  const int size = std::snprintf(line, sizeof line, "call-faults: used what was not given, in %s\n", where.dli_fname);
  static const auto write = Real<ssize_t (*)(int, const void*, size_t)>("write");
  if (size < 0 || write(2, line, static_cast<size_t>(size)) < 0) return;
}

[[gnu::constructor]] void WatchMemory() {
  if (std::getenv("CALL_FAULT_MEMORY") == nullptr) return;
  struct sigaction action {};
  action.sa_sigaction = SayWhere;
  action.sa_flags = SA_SIGINFO | static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGSEGV, &action, nullptr);
}

const std::int64_t* ClockError() {
  const char* file = std::getenv("CALL_FAULT_CLOCK");
  if (file == nullptr) return nullptr;
  static const auto open = Real<int (*)(const char*, int, ...)>("open");
  const int fd = open(file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return nullptr;
  void* page = ::mmap(nullptr, sizeof(std::int64_t), PROT_READ, MAP_SHARED, fd, 0);
  return page == MAP_FAILED ? nullptr : static_cast<const std::int64_t*>(page);
}

std::int64_t ClockErrorMs() {
  static const std::int64_t* const error = ClockError();
  return error == nullptr ? 0 : __atomic_load_n(error, __ATOMIC_RELAXED);
}

int OpenAny(const char* name, const char* path, int flags, mode_t mode) {
  const auto real = Real<int (*)(const char*, int, ...)>(name);
  return Comes(Call::kOpen, path) ? Fail() : real(path, flags, mode);
}

// Paths of the data are absolute, whatever folder they are told to begin in.
int OpenAt(const char* name, int folder, const char* path, int flags, mode_t mode) {
  const auto real = Real<int (*)(int, const char*, int, ...)>(name);
  return Comes(Call::kOpen, path) ? Fail() : real(folder, path, flags, mode);
}

// Of several pieces: half of them, or of the first half.
template <class Write>
ssize_t WriteShort(const iovec* pieces, int count, const Write& write) {
  if (count > 1) return write(pieces, count / 2);
  const iovec half{pieces[0].iov_base, pieces[0].iov_len / 2};
  return half.iov_len == 0 ? Fail() : write(&half, 1);
}
template <class Write>
ssize_t WritePieces(int fd, const iovec* pieces, int count, const Write& write) {
  if (!Comes(Call::kWrite, fd)) return write(pieces, count);
  return TheOrder().error == 0 && count > 0 ? WriteShort(pieces, count, write) : Fail();
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return OpenAny("open", path, flags, mode);
}
int open64(const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return OpenAny("open64", path, flags, mode);
}
int __open_2(const char* path, int flags) { return OpenAny("open", path, flags, 0); }
int __open64_2(const char* path, int flags) { return OpenAny("open64", path, flags, 0); }
int openat(int folder, const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return OpenAt("openat", folder, path, flags, mode);
}
int openat64(int folder, const char* path, int flags, ...) {
  va_list more;
  va_start(more, flags);
  const mode_t mode = (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
  va_end(more);
  return OpenAt("openat64", folder, path, flags, mode);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  static const auto real = Real<ssize_t (*)(int, const void*, size_t)>("write");
  if (!Comes(Call::kWrite, fd)) return real(fd, bytes, size);
  return TheOrder().error == 0 && size > 1 ? real(fd, bytes, size / 2) : Fail();
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  static const auto real = Real<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  if (!Comes(Call::kWrite, fd)) return real(fd, bytes, size, at);
  return TheOrder().error == 0 && size > 1 ? real(fd, bytes, size / 2, at) : Fail();
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) { return pwrite(fd, bytes, size, at); }
ssize_t writev(int fd, const iovec* pieces, int count) {
  static const auto real = Real<ssize_t (*)(int, const iovec*, int)>("writev");
  return WritePieces(fd, pieces, count, [fd](const iovec* some, int few) { return real(fd, some, few); });
}
ssize_t pwritev2(int fd, const iovec* pieces, int count, off_t at, int flags) {
  static const auto real = Real<ssize_t (*)(int, const iovec*, int, off_t, int)>("pwritev2");
  return WritePieces(fd, pieces, count, [=](const iovec* some, int few) { return real(fd, some, few, at, flags); });
}
ssize_t pwritev64v2(int fd, const iovec* pieces, int count, off64_t at, int flags) {
  return pwritev2(fd, pieces, count, at, flags);
}
ssize_t pwritev(int fd, const iovec* pieces, int count, off_t at) { return pwritev2(fd, pieces, count, at, 0); }
ssize_t pwritev64(int fd, const iovec* pieces, int count, off64_t at) { return pwritev2(fd, pieces, count, at, 0); }

int fdatasync(int fd) {
  static const auto real = Real<int (*)(int)>("fdatasync");
  return Comes(Call::kSync, fd) ? Fail() : real(fd);
}
int fsync(int fd) {
  static const auto real = Real<int (*)(int)>("fsync");
  return Comes(Call::kSync, fd) ? Fail() : real(fd);
}

int rename(const char* from, const char* to) noexcept {
  static const auto real = Real<int (*)(const char*, const char*)>("rename");
  return Comes(Call::kRename, to) ? Fail() : real(from, to);
}
int renameat(int from_folder, const char* from, int to_folder, const char* to) noexcept {
  static const auto real = Real<int (*)(int, const char*, int, const char*)>("renameat");
  return Comes(Call::kRename, to) ? Fail() : real(from_folder, from, to_folder, to);
}

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  static const auto real = Real<int (*)(clockid_t, timespec*)>("clock_gettime");
  const int result = real(clock, now);
  const std::int64_t wrong_ms = clock == CLOCK_REALTIME && result == 0 ? ClockErrorMs() : 0;
  if (wrong_ms != 0) {
    const std::int64_t ns = now->tv_sec * 1'000'000'000 + now->tv_nsec + wrong_ms * 1'000'000;
    now->tv_sec = ns / 1'000'000'000;
    now->tv_nsec = ns % 1'000'000'000;
  }
  return result;
}

}  // extern "C"
