#include <fcntl.h>
#include <linux/types.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>

#include <cerrno>

#include "base/system.h"

namespace lfm::base::system {
namespace {

// linux/fs.h has these since Linux 6.7; ioctl_pagemap_scan(2).
struct PageRegion {
  __u64 start, end, categories;
};
struct ScanArguments {
  __u64 size, flags, start, end, walk_end, vec, vec_len, max_pages;
  __u64 category_inverted, category_mask, category_anyof_mask, return_mask;
};
constexpr unsigned long kPagemapScan = _IOWR('f', 16, ScanArguments);
constexpr __u64 kPageIsHuge = 1 << 6;

}  // namespace

int rename_new(const char* from, const char* to) noexcept {
  return ::renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

int reserve(int file, std::uint64_t bytes) noexcept {
  return ::fallocate(file, 0, 0, static_cast<off_t>(bytes));
}

void forget(int file, std::uint64_t offset, std::uint64_t bytes) noexcept {
  (void)::posix_fadvise(file, static_cast<off_t>(offset), static_cast<off_t>(bytes), POSIX_FADV_DONTNEED);
}

int page_in(const std::byte* data, std::size_t bytes) noexcept {
#ifdef MADV_POPULATE_READ
  constexpr int kAdvice = MADV_POPULATE_READ;
#else
  constexpr int kAdvice = MADV_WILLNEED;
#endif
  const int done = ::madvise(const_cast<std::byte*>(data), bytes, kAdvice);
  if (done != 0 && (errno == EFAULT || errno == EHWPOISON)) errno = EIO;
  return done;
}

void want_huge(void* data, std::size_t bytes) noexcept {
  (void)::madvise(data, bytes, MADV_HUGEPAGE);
}

int move(void* from, std::size_t bytes, void* to) noexcept {
  return ::mremap(from, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED ? -1 : 0;
}

int first_huge(int pages, Bytes among, Bytes& found) noexcept {
  PageRegion region{};
  ScanArguments scan{};
  scan.size = sizeof scan;
  scan.start = among.begin;
  scan.end = among.end;
  scan.vec = reinterpret_cast<std::uintptr_t>(&region);
  scan.vec_len = 1;
  scan.category_mask = scan.return_mask = kPageIsHuge;
  const int count = ::ioctl(pages, kPagemapScan, &scan);
  found = {static_cast<std::uintptr_t>(region.start), static_cast<std::uintptr_t>(region.end)};
  return count;
}

bool random_bytes(std::span<std::byte> out) noexcept {
  return ::getrandom(out.data(), out.size(), GRND_NONBLOCK) == static_cast<ssize_t>(out.size());
}

void step_back() noexcept {
  constexpr int kNicest = 19;
  (void)::setpriority(PRIO_PROCESS, 0, kNicest);  // of this thread alone, on Linux
}

std::vector<unsigned> cpus() {
  std::vector<unsigned> cpus;
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (::sched_getaffinity(0, sizeof mask, &mask) != 0) return cpus;
  for (unsigned cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &mask)) cpus.push_back(cpu);
  }
  return cpus;
}

}  // namespace lfm::base::system
