// What the CPU is and can do.
#pragma once

#include <cstdint>

#include "kernels/isa.h"
#include "lfm/result.h"

namespace lfm::base {

// Whether the CPU and the system support it.
bool cpu_has(kernels::Isa isa);

// The most capable of those; not i8mm where its products aren't known to be the faster ones.
kernels::Isa best_isa();

// Whether an ARM core of this design (its MIDR_EL1; 0 where it isn't known) multiplies int8 matrices faster than it
// does dot products.
bool has_fast_matrix_products(std::uint64_t midr) noexcept;

// best_isa(), or the one that the environment variable LFM_ISA names (kernels/isas.inc); kUnsupported where the CPU
// lacks it, kArgument for another name.
Result<kernels::Isa> chosen_isa();

// "Intel(R) Xeon(R) Processor @ 2.50GHz"; empty where the system doesn't tell.
std::string cpu_name();

}  // namespace lfm::base
