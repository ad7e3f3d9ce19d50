// What Linux has calls of its own for: system_linux.cc, or, elsewhere and with LFM_POSIX=ON, what POSIX has instead
// (system_posix.cc). Where that is nothing, files are written, mapped and read all the same, with less done for speed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lfm::base::system {

// Results are 0, or -1 with errno.

// As ::rename(), but for EEXIST where `to` is there.
int rename_new(const char* from, const char* to) noexcept;
// Has the file system set aside so many bytes from the beginning of a file. EOPNOTSUPP where it can't.
int reserve(int file, std::uint64_t bytes) noexcept;
// The system needn't keep these bytes of a file in memory.
void forget(int file, std::uint64_t offset, std::uint64_t bytes) noexcept;

// Enters mapped pages into the page table, reading those that aren't in memory. EIO where the disk fails or the file is
// cut; with any other errno the system just doesn't.
int page_in(const std::byte* data, std::size_t bytes) noexcept;
// Asks for huge pages.
void want_huge(void* data, std::size_t bytes) noexcept;
// Has mapped pages at another address, in place of what is there, in one step.
int move(void* from, std::size_t bytes, void* to) noexcept;

struct Bytes {
  std::uintptr_t begin;
  std::uintptr_t end;
};
// The first of these that are in huge pages: 1, or 0 where none are. `pages` is /proc/self/pagemap, opened.
int first_huge(int pages, Bytes among, Bytes& found) noexcept;

// False where none are to be had at once.
bool random_bytes(std::span<std::byte> out) noexcept;

// This thread runs when no other wants to.
void step_back() noexcept;
// The logical CPUs that this process may run on.
std::vector<unsigned> cpus();

}  // namespace lfm::base::system
