// What this machine offers: instruction sets, and how many threads are worth starting. The only user of cpuinfo.
#pragma once

#include "kernels/isa.h"
#include "lfm/result.h"

namespace lfm::base {

// The most capable ISA that the CPU and the system support.
kernels::Isa best_isa();

// best_isa(), or the one that the environment variable LFM_ISA (scalar, avx2 or avx512vnni) names; kUnsupported where
// the CPU lacks it, kArgument for another name.
Result<kernels::Isa> chosen_isa();

const char* to_string(kernels::Isa isa) noexcept;

// "Intel(R) Xeon(R) Processor @ 2.50GHz"; empty where the system doesn't tell.
std::string cpu_name();

// Physical cores (of the fastest kind, on a hybrid CPU) in this process's affinity mask, at most what the control
// group's CPU quota pays for; at least 1.
unsigned default_threads();

}  // namespace lfm::base
