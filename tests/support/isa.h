// The instruction sets that kernel tests run on.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "kernels/isa.h"
#include "kernels/table.h"

namespace lfm::test {

// All but scalar, for GoogleTest: testing::ValuesIn(vector_isas()).
inline std::vector<kernels::Isa> vector_isas() {
  std::vector<kernels::Isa> isas;
  for (const kernels::IsaInfo& row : kernels::kIsas) {
    if (row.isa != kernels::Isa::kScalar) isas.push_back(row.isa);
  }
  return isas;
}

// Those of them whose kernels, `of` a table, are their own and not another's: isas_with_own([](auto& t) { return
// &t.vector; }).
template <class Of>
std::vector<kernels::Isa> isas_with_own(Of of) {
  std::vector<kernels::Isa> own;
  for (const kernels::Isa isa : vector_isas()) {
    const auto is_the_same = [&](kernels::Isa other) { return of(kernels::table(other)) == of(kernels::table(isa)); };
    if (std::none_of(own.begin(), own.end(), is_the_same)) own.push_back(isa);
  }
  return own;
}

inline std::string name_of(kernels::Isa isa) {
  return kernels::info(isa).name;
}

// Skips the test where the CPU lacks it.
#define LFM_SKIP_WITHOUT(isa) \
  if (!::lfm::base::cpu_has(isa)) GTEST_SKIP() << "this CPU has no " << ::lfm::kernels::info(isa).name

}  // namespace lfm::test
