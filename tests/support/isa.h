// The instruction sets that kernel tests run on.
#pragma once

#include <string>

#include "kernels/isa.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace lfm::test {

inline constexpr kernels::Isa kVectorIsas[] = {kernels::Isa::kAvx2, kernels::Isa::kAvx512Vnni};

#if defined(__x86_64__)
// Which __builtin_cpu_supports doesn't know in every compiler.
inline bool cpu_has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
#endif

inline bool cpu_has(kernels::Isa isa) {
#if defined(__x86_64__)
  switch (isa) {
    case kernels::Isa::kScalar:
      return true;
    case kernels::Isa::kAvx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && cpu_has_f16c();
    case kernels::Isa::kAvx512Vnni:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512vnni");
  }
#endif
  return isa == kernels::Isa::kScalar;
}

inline std::string name_of(kernels::Isa isa) {
  return isa == kernels::Isa::kScalar ? "Scalar" : isa == kernels::Isa::kAvx2 ? "Avx2" : "Avx512Vnni";
}

}  // namespace lfm::test
