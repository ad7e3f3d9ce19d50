// What the control groups that this process is in let it use (cgroups(7)), by either version of the interface: the
// least that they and those above them grant.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace lfm::base {

struct GroupLimits {
  double cpus = std::numeric_limits<double>::infinity();             // that the quotas pay for
  std::uint64_t memory = std::numeric_limits<std::uint64_t>::max();  // the lowest limit, bytes
  std::uint64_t unused = std::numeric_limits<std::uint64_t>::max();  // until one is reached, bytes
};

// By proc/self/cgroup and sys/fs/cgroup in the folder `root`. What they don't say is no limit.
GroupLimits group_limits(const std::string& root = "");

}  // namespace lfm::base
