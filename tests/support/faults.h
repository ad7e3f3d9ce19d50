// The operating system refuses: calls of the C library that reach it fail where a test says so, whoever makes them (the
// library, XNNPACK, the C++ library). A program that uses this has those functions replaced.
#pragma once

#include <cstdint>

namespace lfm::test {

// Counts the calls of all threads while it lives, and makes some fail; at most one at a time.
class Faults {
 public:
  enum Calls : unsigned {
    kFiles = 1,    // open, fstat, pread, pwrite, fsync, rename, mkdir, ...
    kMaps = 2,     // mmap
    kHeap = 4,     // malloc and its like, operator new among them; not under a sanitizer, which has its own
    kThreads = 8,  // pthread_create
  };
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};
  static constexpr int kShort = -1;  // instead of an error: reads and writes do half of it

  // Call number `fail_at` of these calls, from 0, fails with this error; with `forever` all after it too.
  explicit Faults(unsigned calls, std::uint64_t fail_at = kNever, int error = 0, bool forever = false) noexcept;
  ~Faults();
  Faults(const Faults&) = delete;
  Faults& operator=(const Faults&) = delete;

  std::uint64_t calls() const noexcept;      // so far
  const char* last_failed() const noexcept;  // the function that failed last, or ""
};

}  // namespace lfm::test
