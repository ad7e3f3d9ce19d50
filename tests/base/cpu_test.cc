#include "base/cpu.h"

#include <gtest/gtest.h>

#include "support/expect.h"
#include "support/isa.h"
#include "support/temp_file.h"

namespace lfm::base {
namespace {

using kernels::Isa;

TEST(ChosenIsa, IsTheBestUnlessSaid) {
  EXPECT_TRUE(test::cpu_has(best_isa()));
  for (const Isa isa : test::kVectorIsas) EXPECT_TRUE(!test::cpu_has(isa) || best_isa() >= isa);
  const test::EnvironmentVariable empty("LFM_ISA", "");
  auto isa = chosen_isa();
  ASSERT_TRUE(isa.ok());
  EXPECT_EQ(*isa, best_isa());
}

TEST(ChosenIsa, IsWhatTheEnvironmentSays) {
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvx512Vnni}) {
    const test::EnvironmentVariable name("LFM_ISA", to_string(isa));
    const auto chosen = chosen_isa();
    if (test::cpu_has(isa)) {
      ASSERT_TRUE(chosen.ok());
      EXPECT_EQ(*chosen, isa);
    } else {
      test::expect_error(chosen, ErrorCode::kUnsupported, to_string(isa));
    }
  }
}

TEST(ChosenIsa, RefusesOtherNames) {
  for (const char* name : {"AVX2", "avx", "scalar ", "avx512", "0"}) {
    const test::EnvironmentVariable variable("LFM_ISA", name);
    test::expect_error(chosen_isa(), ErrorCode::kArgument, "LFM_ISA");
  }
}

}  // namespace
}  // namespace lfm::base
