// Huge pages: a TLB entry covers 512 times as much or more, and weights are read at memory's speed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace lfm::base {

// Bytes of the system's pages. Of 4 KiB ones huge are those of 2 MiB; of 16 KiB, 32 MiB; of 64 KiB, 512 MiB.
struct PageSizes {
  std::size_t normal;
  std::size_t huge;  // 0 where the system has none, or doesn't give them to who asks
};

// By what a folder like /sys says of huge ones.
PageSizes page_sizes(std::size_t normal, const std::string& sys);
// This system's.
const PageSizes& page_sizes() noexcept;

// Whether it may be of use to move `bytes` to memory that asks for huge pages. `known`: whether the system tells what
// it got (PageMap); otherwise only small huge ones are likely to be had.
bool worth_moving(const PageSizes& sizes, std::size_t bytes, bool known) noexcept;

// What could be allocated without anything being swapped out, in bytes, and all memory there is (proc/meminfo in the
// folder `root`, or the control groups' limits where they are lower); zeros where the system doesn't tell.
struct AvailableMemory {
  std::uint64_t available;
  std::uint64_t total;
};
AvailableMemory available_memory(const std::string& root = "");

// How this process's memory is mapped.
class PageMap {
 public:
  PageMap() noexcept;
  ~PageMap();
  PageMap(const PageMap&) = delete;
  PageMap& operator=(const PageMap&) = delete;

  // Whether the system tells (Linux since 6.7).
  bool known() const noexcept { return known_; }
  // Whether the bytes of a huge page at `at`, a multiple of their number, are in one; false where that isn't known.
  bool is_huge(const std::byte* at) const noexcept;

 private:
  int descriptor_;
  bool known_;
};

}  // namespace lfm::base
