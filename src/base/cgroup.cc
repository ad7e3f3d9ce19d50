#include "base/cgroup.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>

namespace lfm::base {
namespace {

// Nothing where there is no such file, or no number in it ("max").
template <typename Number>
std::optional<Number> read_number(const std::string& path) {
  Number number;
  if (std::ifstream(path) >> number) return number;
  return std::nullopt;
}

void add_cpus(const std::string& folder, GroupLimits& limits) {
  double quota = 0;  // microseconds of CPU time in a period; -1 or "max" is no quota
  double period = 0;
  if (!(std::ifstream(folder + "/cpu.max") >> quota >> period)) {
    quota = read_number<double>(folder + "/cpu.cfs_quota_us").value_or(0);
    period = read_number<double>(folder + "/cpu.cfs_period_us").value_or(0);
  }
  if (quota > 0 && period > 0) limits.cpus = std::min(limits.cpus, quota / period);
}

void add_memory(const std::string& folder, GroupLimits& limits) {
  auto limit = read_number<std::uint64_t>(folder + "/memory.max");
  auto used = read_number<std::uint64_t>(folder + "/memory.current");
  if (!limit) {
    limit = read_number<std::uint64_t>(folder + "/memory.limit_in_bytes");
    used = read_number<std::uint64_t>(folder + "/memory.usage_in_bytes");
  }
  if (!limit) return;
  limits.memory = std::min(limits.memory, *limit);
  limits.unused = std::min(limits.unused, *limit - std::min(*limit, used.value_or(0)));
}

// A group below a mounted hierarchy, and all above it. In a container the hierarchy may be mounted from the group on,
// though it is named as from outside: then only the topmost folder is there.
void add(const std::string& hierarchy, std::string group, GroupLimits& limits) {
  if (group.find("/..") != std::string::npos) group.clear();  // outside of what this process may see
  for (;;) {
    add_cpus(hierarchy + group, limits);
    add_memory(hierarchy + group, limits);
    const std::size_t slash = group.rfind('/');
    if (slash == std::string::npos) return;
    group.resize(slash);
  }
}

}  // namespace

GroupLimits group_limits(const std::string& root) {
  const std::string mounts = root + "/sys/fs/cgroup";
  GroupLimits limits;
  // Version 2 has one hierarchy for all; version 1 some, each mounted under the names of its controllers.
  for (const char* hierarchy : {"", "/cpu", "/memory"}) add(mounts + hierarchy, "", limits);
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {  // "4:cpu,cpuacct:/a/group"; "0::/a/group" in version 2
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string names = line.substr(first + 1, second - first - 1);
    const std::string group = line.substr(second + 1);
    add(mounts + (names.empty() ? "" : "/" + names), group, limits);
    std::istringstream list(names);
    for (std::string name; std::getline(list, name, ',');) {
      if (name == "cpu" || name == "memory") add(mounts + "/" + name, group, limits);
    }
  }
  return limits;
}

}  // namespace lfm::base
