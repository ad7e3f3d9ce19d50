#include "base/cpu.h"

#include <cpuinfo.h>

#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/words.h"

namespace lfm::base {

bool cpu_has(kernels::Isa isa) {
  [[maybe_unused]] const bool known = cpuinfo_initialize();
  switch (isa) {
#define HAS(feature) (known && cpuinfo_has_##feature())
#define LFM_ISA(id, name, matmul, vector, attention, dense, cpu, flags) \
  case kernels::Isa::k##id:                                             \
    return cpu;
#include "kernels/isas.inc"
#undef HAS
  }
  return false;
}

kernels::Isa best_isa() {
  auto isa = std::rbegin(kernels::kIsas);
  while (!cpu_has(isa->isa)) ++isa;
  return isa->isa;
}

Result<kernels::Isa> chosen_isa() {
  const char* name = std::getenv("LFM_ISA");
  if (name == nullptr || *name == '\0') return best_isa();
  std::vector<std::string_view> names;
  for (const kernels::IsaInfo& row : kernels::kIsas) {
    names.push_back(row.name);
    if (name != names.back()) continue;
    if (cpu_has(row.isa)) return row.isa;
    return Error{ErrorCode::kUnsupported, "this CPU doesn't have " + std::string(name), "LFM_ISA"};
  }
  return Error{ErrorCode::kArgument, "must be " + one_of(names), "LFM_ISA"};
}

std::string cpu_name() {
  if (!cpuinfo_initialize() || cpuinfo_get_packages_count() == 0) return {};
  return cpuinfo_get_package(0)->name;
}

}  // namespace lfm::base
