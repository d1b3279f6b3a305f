// How Debian's Abseil and gRPC synchronise, told to ThreadSanitizer, which they are not built with: without this it
// would take whatever a Mutex guards for a race, and leaving those out would leave out ours.
//
// Linked into every program of a build with -fsanitize=thread, where these functions stand before the libraries' own,
// also for calls from one library into another, and call them on.
#include <dlfcn.h>
#include <grpc/grpc.h>
#include <sanitizer/tsan_interface.h>

#include "absl/time/time.h"

extern "C" {
void AnnotateIgnoreWritesBegin(const char* file, int line);
void AnnotateIgnoreWritesEnd(const char* file, int line);
extern const char __executable_start, etext;  // of the linker
}

namespace {

bool IsOurs(const void* code) { return code >= &__executable_start && code < &etext; }

// Libraries lock before ThreadSanitizer has begun.
bool ready = false;
[[gnu::constructor]] void BeReady() { ready = true; }

template <typename Function>
Function* Next(Function*, const char* symbol) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, symbol));
}

// Their functions call one another: the outermost tells.
thread_local bool inside = false;
bool Enter() { return ready && !inside && (inside = true); }

// Takes a lock by `lock`, which tells whether it did.
template <typename Lock>
bool Locking(void* mutex, unsigned flags, Lock lock) {
  if (!Enter()) return lock();
  __tsan_mutex_pre_lock(mutex, flags);
  const bool taken = lock();
  __tsan_mutex_post_lock(mutex, taken ? flags : flags | __tsan_mutex_try_lock_failed, 0);
  inside = false;
  return taken;
}

// Takes it in any case, and tells whether a condition held by then.
template <typename Lock>
bool LockingWhen(void* mutex, Lock lock) {
  bool held = false;
  Locking(mutex, 0, [&] { return held = lock(), true; });
  return held;
}

// What is read meanwhile is not looked at: whoever unlocks evaluates the conditions of those who wait.
template <typename Unlock>
void Unlocking(void* mutex, unsigned flags, Unlock unlock) {
  if (!Enter()) return unlock();
  __tsan_mutex_pre_unlock(mutex, flags);
  unlock();
  __tsan_mutex_post_unlock(mutex, flags);
  inside = false;
}

// To wait is to unlock and to lock again.
template <typename Wait>
bool Waiting(void* mutex, Wait wait) {
  if (!Enter()) return wait();
  __tsan_mutex_pre_unlock(mutex, 0);
  __tsan_mutex_post_unlock(mutex, 0);
  __tsan_mutex_pre_lock(mutex, 0);
  const bool result = wait();
  __tsan_mutex_post_lock(mutex, 0, 0);
  inside = false;
  return result;
}

}  // namespace

// A function that stands before the one of this symbol. `real` is that one.
#define STANDS_BEFORE(result, name, symbol, ...) \
  result name(__VA_ARGS__) __asm__(symbol);      \
  result name(__VA_ARGS__)
#define REAL(name, symbol) static const auto real = Next(&name, symbol)

#define ABSL "_ZN4absl7debian3"

STANDS_BEFORE(void, MutexLock, ABSL "5Mutex4LockEv", void* mutex) {
  REAL(MutexLock, ABSL "5Mutex4LockEv");
  Locking(mutex, 0, [&] { return real(mutex), true; });
}

STANDS_BEFORE(bool, MutexTryLock, ABSL "5Mutex7TryLockEv", void* mutex) {
  REAL(MutexTryLock, ABSL "5Mutex7TryLockEv");
  return Locking(mutex, __tsan_mutex_try_lock, [&] { return real(mutex); });
}

STANDS_BEFORE(void, MutexUnlock, ABSL "5Mutex6UnlockEv", void* mutex) {
  REAL(MutexUnlock, ABSL "5Mutex6UnlockEv");
  Unlocking(mutex, 0, [&] { real(mutex); });
}

STANDS_BEFORE(void, MutexReaderLock, ABSL "5Mutex10ReaderLockEv", void* mutex) {
  REAL(MutexReaderLock, ABSL "5Mutex10ReaderLockEv");
  Locking(mutex, __tsan_mutex_read_lock, [&] { return real(mutex), true; });
}

STANDS_BEFORE(void, MutexReaderUnlock, ABSL "5Mutex12ReaderUnlockEv", void* mutex) {
  REAL(MutexReaderUnlock, ABSL "5Mutex12ReaderUnlockEv");
  Unlocking(mutex, __tsan_mutex_read_lock, [&] { real(mutex); });
}

STANDS_BEFORE(void, MutexDestroy, ABSL "5MutexD1Ev", void* mutex) {
  REAL(MutexDestroy, ABSL "5MutexD1Ev");
  // Who may destroy it when, a library decides by counts that are not seen here.
  const bool ours = IsOurs(__builtin_return_address(0));
  if (ready && !ours) AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
  if (ready) __tsan_mutex_destroy(mutex, 0);
  if (ready && !ours) AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
  real(mutex);
}

STANDS_BEFORE(void, MutexLockWhen, ABSL "5Mutex8LockWhenERKNS0_9ConditionE", void* mutex, const void* condition) {
  REAL(MutexLockWhen, ABSL "5Mutex8LockWhenERKNS0_9ConditionE");
  Locking(mutex, 0, [&] { return real(mutex, condition), true; });
}

STANDS_BEFORE(bool, MutexLockWhenWithTimeout, ABSL "5Mutex19LockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE",
              void* mutex, const void* condition, absl::Duration timeout) {
  REAL(MutexLockWhenWithTimeout, ABSL "5Mutex19LockWhenWithTimeoutERKNS0_9ConditionENS0_8DurationE");
  return LockingWhen(mutex, [&] { return real(mutex, condition, timeout); });
}

STANDS_BEFORE(bool, MutexLockWhenWithDeadline, ABSL "5Mutex20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE",
              void* mutex, const void* condition, absl::Time deadline) {
  REAL(MutexLockWhenWithDeadline, ABSL "5Mutex20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE");
  return LockingWhen(mutex, [&] { return real(mutex, condition, deadline); });
}

STANDS_BEFORE(void, MutexAwait, ABSL "5Mutex5AwaitERKNS0_9ConditionE", void* mutex, const void* condition) {
  REAL(MutexAwait, ABSL "5Mutex5AwaitERKNS0_9ConditionE");
  Waiting(mutex, [&] { return real(mutex, condition), true; });
}

STANDS_BEFORE(bool, MutexAwaitWithTimeout, ABSL "5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE", void* mutex,
              const void* condition, absl::Duration timeout) {
  REAL(MutexAwaitWithTimeout, ABSL "5Mutex16AwaitWithTimeoutERKNS0_9ConditionENS0_8DurationE");
  return Waiting(mutex, [&] { return real(mutex, condition, timeout); });
}

STANDS_BEFORE(bool, MutexAwaitWithDeadline, ABSL "5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE", void* mutex,
              const void* condition, absl::Time deadline) {
  REAL(MutexAwaitWithDeadline, ABSL "5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE");
  return Waiting(mutex, [&] { return real(mutex, condition, deadline); });
}

STANDS_BEFORE(void, CondVarWait, ABSL "7CondVar4WaitEPNS0_5MutexE", void* changed, void* mutex) {
  REAL(CondVarWait, ABSL "7CondVar4WaitEPNS0_5MutexE");
  Waiting(mutex, [&] { return real(changed, mutex), true; });
}

STANDS_BEFORE(bool, CondVarWaitWithTimeout, ABSL "7CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE", void* changed,
              void* mutex, absl::Duration timeout) {
  REAL(CondVarWaitWithTimeout, ABSL "7CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE");
  return Waiting(mutex, [&] { return real(changed, mutex, timeout); });
}

STANDS_BEFORE(bool, CondVarWaitWithDeadline, ABSL "7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE", void* changed,
              void* mutex, absl::Time deadline) {
  REAL(CondVarWaitWithDeadline, ABSL "7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE");
  return Waiting(mutex, [&] { return real(changed, mutex, deadline); });
}

// What was written before an operation began is seen by whoever is given its tag.
STANDS_BEFORE(bool, QueueBegin, "_Z16grpc_cq_begin_opP21grpc_completion_queuePv", void* queue, void* tag) {
  REAL(QueueBegin, "_Z16grpc_cq_begin_opP21grpc_completion_queuePv");
  if (ready && tag != nullptr) __tsan_release(tag);
  return real(queue, tag);
}

STANDS_BEFORE(grpc_event, QueueNext, "grpc_completion_queue_next", void* queue, gpr_timespec deadline, void* reserved) {
  REAL(QueueNext, "grpc_completion_queue_next");
  const grpc_event event = real(queue, deadline, reserved);
  if (ready && event.type == GRPC_OP_COMPLETE && event.tag != nullptr) __tsan_acquire(event.tag);
  return event;
}
