// What the CPU is and can do. The only user of cpuinfo.
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

}  // namespace lfm::base
