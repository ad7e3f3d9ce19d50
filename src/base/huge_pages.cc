#include "base/huge_pages.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <exception>
#include <fstream>
#include <string>

#include "base/cgroup.h"
#include "base/system.h"

namespace lfm::base {

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
  system::Bytes found{};
  known_ = system::first_huge(descriptor_, {here, here + page}, found) >= 0;
}

PageMap::~PageMap() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool PageMap::is_huge(const std::byte* at) const noexcept {
  const auto begin = reinterpret_cast<std::uintptr_t>(at);
  const std::uintptr_t end = begin + page_sizes().huge;
  system::Bytes found{};
  return known_ && system::first_huge(descriptor_, {begin, end}, found) == 1 && found.begin == begin &&
         found.end == end;
}

}  // namespace lfm::base
