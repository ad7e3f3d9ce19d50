#include "base/cpu.h"

#include <cpuinfo.h>

#include <cstdlib>
#include <string>

namespace lfm::base {
namespace {

bool cpu_has(kernels::Isa isa) {
  if (isa == kernels::Isa::kScalar) return true;
  if (!cpuinfo_initialize()) return false;
  const bool avx2 = cpuinfo_has_x86_avx2() && cpuinfo_has_x86_fma3() && cpuinfo_has_x86_f16c();
  if (isa == kernels::Isa::kAvx2) return avx2;
  return avx2 && cpuinfo_has_x86_avx512f() && cpuinfo_has_x86_avx512bw() && cpuinfo_has_x86_avx512dq() &&
         cpuinfo_has_x86_avx512vl() && cpuinfo_has_x86_avx512vnni();
}

}  // namespace

const char* to_string(kernels::Isa isa) noexcept {
  switch (isa) {
    case kernels::Isa::kScalar:
      return "scalar";
    case kernels::Isa::kAvx2:
      return "avx2";
    case kernels::Isa::kAvx512Vnni:
      return "avx512vnni";
  }
  return "unknown";
}

kernels::Isa best_isa() {
  if (cpu_has(kernels::Isa::kAvx512Vnni)) return kernels::Isa::kAvx512Vnni;
  if (cpu_has(kernels::Isa::kAvx2)) return kernels::Isa::kAvx2;
  return kernels::Isa::kScalar;
}

Result<kernels::Isa> chosen_isa() {
  const char* name = std::getenv("LFM_ISA");
  if (name == nullptr || *name == '\0') return best_isa();
  for (const kernels::Isa isa : {kernels::Isa::kScalar, kernels::Isa::kAvx2, kernels::Isa::kAvx512Vnni}) {
    if (std::string_view(name) != to_string(isa)) continue;
    if (!cpu_has(isa)) return Error{ErrorCode::kUnsupported, "this CPU doesn't have " + std::string(name), "LFM_ISA"};
    return isa;
  }
  return Error{ErrorCode::kArgument, "must be scalar, avx2 or avx512vnni", "LFM_ISA"};
}

std::string cpu_name() {
  if (!cpuinfo_initialize() || cpuinfo_get_packages_count() == 0) return {};
  return cpuinfo_get_package(0)->name;
}

}  // namespace lfm::base
