// How many threads are worth starting.
#pragma once

#include <span>
#include <string>

namespace lfm::base {

// Physical cores (of the fastest kind, on a hybrid CPU) in this process's affinity mask, at most what its control
// groups' CPU quotas pay for; at least 1.
unsigned default_threads();

// The same for these logical CPUs, by the folders proc and sys in `root`. What they don't say is taken as no difference
// between CPUs, and no quota.
unsigned default_threads(std::span<const unsigned> cpus, const std::string& root);

}  // namespace lfm::base
