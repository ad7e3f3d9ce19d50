#include "support/faults.h"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>

namespace lfm::test {
namespace {

std::atomic<unsigned> armed = 0;  // Faults::Calls
std::atomic<std::uint64_t> made = 0;
std::atomic<const char*> failed = "";
std::uint64_t fail_at;
int fail_with;
bool fail_forever;

enum class Verdict { kPass, kFail, kShorten };

// What is to become of this call.
Verdict judge(unsigned call, const char* name) noexcept {
  if ((armed.load(std::memory_order_acquire) & call) == 0) return Verdict::kPass;
  const std::uint64_t number = made.fetch_add(1);
  if (fail_forever ? number < fail_at : number != fail_at) return Verdict::kPass;
  failed = name;
  if (fail_with == Faults::kShort) return Verdict::kShorten;
  errno = fail_with;
  return Verdict::kFail;
}

// The function of this name that ours stands in front of.
template <typename Function>
Function* next(const char* name) noexcept {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

Faults::Faults(unsigned calls, std::uint64_t at, int error, bool forever) noexcept {
  made = 0;
  failed = "";
  fail_at = at;
  fail_with = error;
  fail_forever = forever;
  armed.store(calls, std::memory_order_release);
}

Faults::~Faults() {
  armed = 0;
}

std::uint64_t Faults::calls() const noexcept {
  return made;
}

const char* Faults::last_failed() const noexcept {
  return failed;
}

}  // namespace lfm::test

using lfm::test::Faults;
using lfm::test::judge;
using lfm::test::Verdict;

// Defines `result name(parameters)`, which fails with `failure` or is passed on.
#define LFM_FAULTY(call, result, failure, name, parameters, arguments)       \
  extern "C" __attribute__((visibility("default"))) result name parameters { \
    static auto* const real = lfm::test::next<result parameters>(#name);     \
    if (judge(Faults::call, #name) == Verdict::kFail) return failure;        \
    return real arguments;                                                   \
  }

// Likewise for reads and writes, which may also be cut to a half.
#define LFM_FAULTY_TRANSFER(name, parameters, arguments)                      \
  extern "C" __attribute__((visibility("default"))) ssize_t name parameters { \
    static auto* const real = lfm::test::next<ssize_t parameters>(#name);     \
    const Verdict verdict = judge(Faults::kFiles, #name);                     \
    if (verdict == Verdict::kFail) return -1;                                 \
    if (verdict == Verdict::kShorten) size = (size + 1) / 2;                  \
    return real arguments;                                                    \
  }

extern "C" __attribute__((visibility("default"))) int open(const char* path, int flags, ...) {
  static auto* const real = lfm::test::next<int(const char*, int, ...)>("open");
  va_list list;
  va_start(list, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
  va_end(list);
  return judge(Faults::kFiles, "open") == Verdict::kFail ? -1 : real(path, flags, mode);
}

LFM_FAULTY_TRANSFER(pread, (int file, void* bytes, size_t size, off_t offset), (file, bytes, size, offset))
LFM_FAULTY_TRANSFER(pwrite, (int file, const void* bytes, size_t size, off_t offset), (file, bytes, size, offset))
LFM_FAULTY(kFiles, int, -1, stat, (const char* path, struct stat* out) noexcept, (path, out))
LFM_FAULTY(kFiles, int, -1, lstat, (const char* path, struct stat* out) noexcept, (path, out))
LFM_FAULTY(kFiles, int, -1, fstat, (int file, struct stat* out) noexcept, (file, out))
LFM_FAULTY(kFiles, int, -1, ftruncate, (int file, off_t size) noexcept, (file, size))
LFM_FAULTY(kFiles, int, -1, fallocate, (int file, int mode, off_t offset, off_t size), (file, mode, offset, size))
LFM_FAULTY(kFiles, int, -1, fchmod, (int file, mode_t mode) noexcept, (file, mode))
LFM_FAULTY(kFiles, int, -1, fchmodat, (int at, const char* path, mode_t mode, int flags) noexcept,
           (at, path, mode, flags))
LFM_FAULTY(kFiles, int, -1, fsync, (int file), (file))
LFM_FAULTY(kFiles, int, -1, fdatasync, (int file), (file))
LFM_FAULTY(kFiles, int, -1, flock, (int file, int operation) noexcept, (file, operation))
LFM_FAULTY(kFiles, int, -1, rename, (const char* from, const char* to) noexcept, (from, to))
LFM_FAULTY(kFiles, int, -1, renameat2,
           (int from_at, const char* from, int to_at, const char* to, unsigned flags) noexcept,
           (from_at, from, to_at, to, flags))
LFM_FAULTY(kFiles, int, -1, mkdir, (const char* path, mode_t mode) noexcept, (path, mode))
LFM_FAULTY(kFiles, char*, nullptr, realpath, (const char* path, char* out) noexcept, (path, out))
LFM_FAULTY(kFiles, DIR*, nullptr, opendir, (const char* path), (path))
LFM_FAULTY(kMaps, void*, MAP_FAILED, mmap,
           (void* at, size_t size, int protection, int flags, int file, off_t offset) noexcept,
           (at, size, protection, flags, file, offset))

// Which returns its error.
extern "C" __attribute__((visibility("default"))) int pthread_create(pthread_t* thread,
                                                                     const pthread_attr_t* attributes,
                                                                     void* (*body)(void*), void* argument) noexcept {
  using Create = int(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static auto* const real = lfm::test::next<Create>("pthread_create");
  return judge(Faults::kThreads, "pthread_create") == Verdict::kFail ? errno : real(thread, attributes, body, argument);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__GLIBC__)
// The C library's own names: dlsym() allocates.
extern "C" void* __libc_malloc(size_t size);
extern "C" void* __libc_calloc(size_t count, size_t size);
extern "C" void* __libc_realloc(void* memory, size_t size);
extern "C" void* __libc_memalign(size_t alignment, size_t size);

#define LFM_FAULTY_HEAP(name, parameters, call)                             \
  extern "C" __attribute__((visibility("default"))) void* name parameters { \
    return judge(Faults::kHeap, #name) == Verdict::kFail ? nullptr : call;  \
  }
LFM_FAULTY_HEAP(malloc, (size_t size) noexcept, __libc_malloc(size))
LFM_FAULTY_HEAP(calloc, (size_t count, size_t size) noexcept, __libc_calloc(count, size))
LFM_FAULTY_HEAP(realloc, (void* memory, size_t size) noexcept, __libc_realloc(memory, size))
LFM_FAULTY_HEAP(memalign, (size_t alignment, size_t size) noexcept, __libc_memalign(alignment, size))
LFM_FAULTY_HEAP(aligned_alloc, (size_t alignment, size_t size) noexcept, __libc_memalign(alignment, size))

extern "C" __attribute__((visibility("default"))) int posix_memalign(void** out, size_t alignment,
                                                                     size_t size) noexcept {
  if (judge(Faults::kHeap, "posix_memalign") == Verdict::kFail) return ENOMEM;
  *out = __libc_memalign(alignment, size);
  return *out == nullptr ? ENOMEM : 0;
}
#endif
