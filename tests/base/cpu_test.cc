#include "base/cpu.h"

#include <gtest/gtest.h>

#include "support/expect.h"
#include "support/temp_file.h"

namespace lfm::base {
namespace {

using kernels::Isa;

TEST(ChosenIsa, IsTheBestUnlessSaid) {
  EXPECT_TRUE(cpu_has(best_isa()));
  for (const kernels::IsaInfo& row : kernels::kIsas) {
    if (std::string_view(row.name) == "i8mm") continue;  // isn't the best one everywhere
    EXPECT_TRUE(!cpu_has(row.isa) || best_isa() >= row.isa);
  }
  const test::EnvironmentVariable empty("LFM_ISA", "");
  auto isa = chosen_isa();
  ASSERT_TRUE(isa.ok());
  EXPECT_EQ(*isa, best_isa());
}

TEST(ChosenIsa, IsWhatTheEnvironmentSays) {
  for (const kernels::IsaInfo& row : kernels::kIsas) {
    const test::EnvironmentVariable name("LFM_ISA", row.name);
    const auto chosen = chosen_isa();
    if (cpu_has(row.isa)) {
      ASSERT_TRUE(chosen.ok());
      EXPECT_EQ(*chosen, row.isa);
    } else {
      test::expect_error(chosen, ErrorCode::kUnsupported, row.name);
    }
  }
}

#if defined(__x86_64__)
TEST(CpuHas, WhatTheCompilerFindsToo) {
  EXPECT_EQ(cpu_has(Isa::kAvx2), __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
  EXPECT_EQ(cpu_has(Isa::kAvx512Vnni), __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512dq"));
}
#endif

TEST(ChosenIsa, RefusesOtherNames) {
  for (const char* name : {"AVX2", "avx", "scalar ", "avx512", "0"}) {
    const test::EnvironmentVariable variable("LFM_ISA", name);
    test::expect_error(chosen_isa(), ErrorCode::kArgument, "LFM_ISA");
    EXPECT_EQ(chosen_isa().error().message.rfind("must be scalar", 0), 0u);
  }
}

}  // namespace
}  // namespace lfm::base
