// How many threads are worth starting.
#pragma once

#include <span>
#include <string>

namespace lfm::base {

// Physical cores in this process's affinity mask, at most what its control groups' CPU quotas pay for; at least 1.
struct Cores {
  unsigned fast = 1;  // of the fastest kind, on a hybrid CPU
  unsigned all = 1;   // at least as many
};
Cores usable_cores();

// The same of these logical CPUs, by the folders proc and sys in `root`. What they don't say is taken as no difference
// between CPUs, and no quota.
Cores usable_cores(std::span<const unsigned> cpus, const std::string& root);

}  // namespace lfm::base
