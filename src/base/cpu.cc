#include "base/cpu.h"

#include <cpuinfo.h>
#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
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

// Logical CPUs of the affinity mask, reduced to one of each fastest physical core.
unsigned physical_cores() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof(mask), &mask) != 0) return 1;
  const unsigned logical = static_cast<unsigned>(CPU_COUNT(&mask));
  if (!cpuinfo_initialize()) return logical;
  struct Core {
    const cpuinfo_core* core;
    std::uint64_t frequency;
    auto operator<=>(const Core&) const = default;
  };
  std::set<Core> cores;
  std::uint64_t fastest = 0;
  for (std::uint32_t i = 0; i < cpuinfo_get_processors_count(); ++i) {
    const cpuinfo_processor* processor = cpuinfo_get_processor(i);
    if (processor == nullptr || processor->core == nullptr) continue;
    if (processor->linux_id < 0 || processor->linux_id >= CPU_SETSIZE || !CPU_ISSET(processor->linux_id, &mask))
      continue;
    cores.insert({processor->core, processor->core->frequency});
    fastest = std::max(fastest, processor->core->frequency);
  }
  // Efficiency cores run well below the fastest; differences of binning between equal cores are a few per cent.
  const auto count =
      std::count_if(cores.begin(), cores.end(), [&](const Core& core) { return core.frequency * 10 >= fastest * 8; });
  return count > 0 ? static_cast<unsigned>(count) : std::max(1u, logical);
}

// CPUs that the control group's quota pays for; infinity without a quota. Version 2, then version 1 of the interface.
double quota_cpus() {
  double quota = 0;
  double period = 0;
  std::string first;
  if (std::ifstream file("/sys/fs/cgroup/cpu.max"); file >> first >> period) {
    if (first == "max" || period <= 0) return INFINITY;
    std::istringstream(first) >> quota;
    return quota > 0 ? quota / period : INFINITY;
  }
  std::ifstream quota_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  std::ifstream period_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  if (quota_file >> quota && period_file >> period && quota > 0 && period > 0) return quota / period;
  return INFINITY;
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

unsigned default_threads() {
  const double cpus = std::min(static_cast<double>(physical_cores()), std::floor(quota_cpus()));
  return cpus >= 1 ? static_cast<unsigned>(cpus) : 1;
}

}  // namespace lfm::base
