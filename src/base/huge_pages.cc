#include "base/huge_pages.h"

#include <fcntl.h>
#include <linux/types.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <exception>
#include <fstream>
#include <string>

#include "base/cgroup.h"

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

// The first of these bytes that are in huge pages, if any: 1, or 0; -1 where the system doesn't tell.
int scan(int descriptor, std::uintptr_t begin, std::size_t bytes, PageRegion& region) noexcept {
  ScanArguments scan{};
  scan.size = sizeof scan;
  scan.start = begin;
  scan.end = begin + bytes;
  scan.vec = reinterpret_cast<std::uintptr_t>(&region);
  scan.vec_len = 1;
  scan.category_mask = scan.return_mask = kPageIsHuge;
  return ::ioctl(descriptor, kPagemapScan, &scan);
}

}  // namespace

PageSizes page_sizes(std::size_t normal, const std::string& sys) {
  const std::string folder = sys + "/kernel/mm/transparent_hugepage/";
  PageSizes sizes{normal, 0};
  std::ifstream file(folder + "enabled");
  std::string line;
  if (!std::getline(file, line) || line.find("[never]") != std::string::npos) return sizes;
  std::size_t huge = 0;
  if (std::ifstream(folder + "hpage_pmd_size") >> huge && huge > normal && std::has_single_bit(huge)) sizes.huge = huge;
  return sizes;
}

const PageSizes& page_sizes() noexcept {
  static const PageSizes sizes = []() -> PageSizes {
    const auto normal = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    try {
      return page_sizes(normal, "/sys");
    } catch (const std::exception&) {  // no memory to read with
      return {normal, 0};
    }
  }();
  return sizes;
}

bool worth_moving(const PageSizes& sizes, std::size_t bytes, bool known) noexcept {
  constexpr std::size_t kOftenFree = std::size_t{2} << 20;
  return sizes.huge != 0 && bytes >= sizes.huge && (known || sizes.huge <= kOftenFree);
}

AvailableMemory available_memory(const std::string& root) {
  AvailableMemory memory{0, 0};
  std::ifstream info(root + "/proc/meminfo");
  std::string name, unit;
  for (std::uint64_t kib = 0; info >> name >> kib; std::getline(info, unit)) {
    if (name == "MemTotal:") memory.total = kib * 1024;
    if (name == "MemAvailable:") memory.available = kib * 1024;
  }
  const GroupLimits limits = group_limits(root);
  return {std::min(memory.available, limits.unused), std::min(memory.total, limits.memory)};
}

PageMap::PageMap() noexcept : descriptor_(::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC)) {
  const std::size_t page = page_sizes().normal;
  const auto here = reinterpret_cast<std::uintptr_t>(this) / page * page;
  PageRegion region{};
  known_ = scan(descriptor_, here, page, region) >= 0;
}

PageMap::~PageMap() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool PageMap::is_huge(const std::byte* at) const noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(at);
  PageRegion region{};
  return known_ && scan(descriptor_, begin, page_sizes().huge, region) == 1 && region.start == begin &&
         region.end == begin + page_sizes().huge;
}

}  // namespace lfm::base
