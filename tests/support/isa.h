// The instruction sets that kernel tests run on.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/cpu.h"
#include "kernels/isa.h"

namespace lfm::test {

// All but scalar, for GoogleTest: testing::ValuesIn(vector_isas()).
inline std::vector<kernels::Isa> vector_isas() {
  std::vector<kernels::Isa> isas;
  for (const kernels::IsaInfo& row : kernels::kIsas) {
    if (row.isa != kernels::Isa::kScalar) isas.push_back(row.isa);
  }
  return isas;
}

inline std::string name_of(kernels::Isa isa) {
  return kernels::info(isa).name;
}

// Skips the test where the CPU lacks it.
#define LFM_SKIP_WITHOUT(isa) \
  if (!::lfm::base::cpu_has(isa)) GTEST_SKIP() << "this CPU has no " << ::lfm::kernels::info(isa).name

}  // namespace lfm::test
