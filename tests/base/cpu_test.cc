#include "base/cpu.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

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

TEST(FastMatrixProducts, AreThoseOfArmsDesigns) {
  for (const std::uint64_t midr : {0x410fd470u, 0x411fd490u, 0x410fd821u, 0x410fd801u}) {  // A710, N2, X4, A520
    EXPECT_TRUE(has_fast_matrix_products(midr)) << std::hex << midr;
  }
  EXPECT_TRUE(has_fast_matrix_products(0x6d0fd490));  // Cobalt 100
  // Unknown, Apple M2, Oryon, AmpereOne, another of Microsoft's.
  for (const std::uint64_t midr : {0x0u, 0x610f0330u, 0x511f0011u, 0xc00fac30u, 0x6d0fd4f0u}) {
    EXPECT_FALSE(has_fast_matrix_products(midr)) << std::hex << midr;
  }
}

#if defined(__aarch64__)
// Qemu's cortex-a710 and neoverse-n2 are Arm's; its max has everything and is nobody's.
TEST(ChosenIsa, TakesMatrixProductsWhereTheyAreFast) {
  if (!cpu_has(Isa::kI8mm)) GTEST_SKIP() << "this CPU has no i8mm";
  EXPECT_TRUE(best_isa() == Isa::kI8mm || best_isa() == Isa::kDotprod);
  const std::string name = cpu_name();
  const auto at = name.find("MIDR 0x");
  const std::uint64_t midr = at == name.npos ? 0 : std::stoull(name.substr(at + 7), nullptr, 16);
  EXPECT_EQ(best_isa() == Isa::kI8mm, has_fast_matrix_products(midr)) << name;
}
#endif

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
