// Pages of 2 MiB: a TLB entry covers 512 times as much, and weights are read at memory's speed.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lfm::base {

inline constexpr std::size_t kHugePage = std::size_t{2} << 20;

// Whether the system gives them to who asks.
bool huge_pages_enabled();

// What could be allocated without anything being swapped out, in bytes, and all memory there is (/proc/meminfo, or the
// control group's limit where that is lower); zeros where the system doesn't tell.
struct AvailableMemory {
  std::uint64_t available;
  std::uint64_t total;
};
AvailableMemory available_memory();

// How this process's memory is mapped.
class PageMap {
 public:
  PageMap() noexcept;
  ~PageMap();
  PageMap(const PageMap&) = delete;
  PageMap& operator=(const PageMap&) = delete;

  // Whether the kHugePage bytes at `at`, a multiple of kHugePage, are in a huge page; false where the system doesn't
  // tell (Linux before 6.7).
  bool is_huge(const std::byte* at) const noexcept;

 private:
  int descriptor_;
};

}  // namespace lfm::base
