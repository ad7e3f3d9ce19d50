#include "base/huge_pages.h"

#include <fcntl.h>
#include <linux/types.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace lfm::base {
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

bool huge_pages_enabled() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string line;
  return std::getline(file, line) && line.find("[never]") == std::string::npos;
}

AvailableMemory available_memory() {
  AvailableMemory memory{0, 0};
  std::ifstream info("/proc/meminfo");
  std::string name, unit;
  for (std::uint64_t kib = 0; info >> name >> kib; std::getline(info, unit)) {
    if (name == "MemTotal:") memory.total = kib * 1024;
    if (name == "MemAvailable:") memory.available = kib * 1024;
  }
  std::uint64_t limit = 0, used = 0;
  std::ifstream limit_file("/sys/fs/cgroup/memory.max"), used_file("/sys/fs/cgroup/memory.current");
  if (limit_file >> limit && used_file >> used && limit < memory.total) {
    memory.total = limit;
    memory.available = std::min(memory.available, limit - std::min(limit, used));
  }
  return memory;
}

PageMap::PageMap() noexcept : descriptor_(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)) {}

PageMap::~PageMap() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool PageMap::is_huge(const std::byte* at) const noexcept {
  PageRegion region{};
  ScanArguments scan{};
  scan.size = sizeof scan;
  scan.start = reinterpret_cast<std::uintptr_t>(at);
  scan.end = scan.start + kHugePage;
  scan.vec = reinterpret_cast<std::uintptr_t>(&region);
  scan.vec_len = 1;
  scan.category_mask = scan.return_mask = kPageIsHuge;
  return ::ioctl(descriptor_, kPagemapScan, &scan) == 1 && region.start == scan.start && region.end == scan.end;
}

}  // namespace lfm::base
