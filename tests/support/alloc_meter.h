// Counts what operator new and mmap hand out, and can make operator new fail. A program that uses this has both
// replaced.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lfm::test {

// Counts allocations of this thread while it lives; at most one at a time. Of maps only the bytes.
class AllocMeter {
 public:
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  // Allocation number `fail_at`, from 0, throws std::bad_alloc; with `forever` all after it too.
  explicit AllocMeter(std::uint64_t fail_at = kNever, bool forever = false) noexcept;
  ~AllocMeter();
  AllocMeter(const AllocMeter&) = delete;
  AllocMeter& operator=(const AllocMeter&) = delete;

  std::uint64_t allocations() const noexcept { return allocations_; }
  std::size_t peak_bytes() const noexcept { return static_cast<std::size_t>(peak_); }  // above the level at the start
  std::int64_t live_bytes() const noexcept { return live_; }                           // the same, now

  bool allow() noexcept;  // whether the next allocation may succeed
  void add(std::int64_t bytes) noexcept;

 private:
  std::uint64_t fail_at_;
  bool forever_;
  std::uint64_t allocations_ = 0;
  std::int64_t live_ = 0;
  std::int64_t peak_ = 0;
};

}  // namespace lfm::test
