#include "base/checked.h"

#include <gtest/gtest.h>

#include <random>

namespace lfm::base {
namespace {

constexpr std::uint64_t kMax = ~std::uint64_t{0};

TEST(Checked, Add) {
  EXPECT_EQ(checked_add(2, 3), 5u);
  EXPECT_EQ(checked_add(kMax, 0), kMax);
  EXPECT_EQ(checked_add(kMax - 7, 7), kMax);
  EXPECT_FALSE(checked_add(kMax, 1));
  EXPECT_FALSE(checked_add(kMax - 7, 8));
  EXPECT_FALSE(checked_add(kMax, kMax));
}

TEST(Checked, Multiply) {
  EXPECT_EQ(checked_mul(6, 7), 42u);
  EXPECT_EQ(checked_mul(kMax, 1), kMax);
  EXPECT_EQ(checked_mul(1, kMax), kMax);
  EXPECT_EQ(checked_mul(kMax, 0), 0u);
  EXPECT_EQ(checked_mul(0, kMax), 0u);
  EXPECT_EQ(checked_mul(std::uint64_t{1} << 32, (std::uint64_t{1} << 32) - 1), 0xffffffff00000000u);
  EXPECT_FALSE(checked_mul(std::uint64_t{1} << 32, std::uint64_t{1} << 32));
  EXPECT_FALSE(checked_mul(kMax, 2));
}

TEST(Checked, RoundUp) {
  EXPECT_EQ(checked_round_up(0, 32), 0u);
  EXPECT_EQ(checked_round_up(1, 32), 32u);
  EXPECT_EQ(checked_round_up(32, 32), 32u);
  EXPECT_EQ(checked_round_up(33, 7), 35u);
  EXPECT_EQ(checked_round_up(kMax, 1), kMax);
  EXPECT_EQ(checked_round_up(kMax - 15, 16), kMax - 15);
  EXPECT_FALSE(checked_round_up(kMax, 16));
  EXPECT_FALSE(checked_round_up(kMax - 14, 16));
  EXPECT_EQ(round_up(65, 64), 128u);
}

TEST(Checked, AsWideArithmetic) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 10000; ++i) {
    const std::uint64_t a = random() >> random() % 64, b = random() >> random() % 64;
    __extension__ using Wide = unsigned __int128;
    const Wide sum = Wide{a} + b, product = Wide{a} * b;
    EXPECT_EQ(checked_add(a, b).has_value(), sum <= kMax);
    EXPECT_EQ(checked_mul(a, b).has_value(), product <= kMax);
    EXPECT_EQ(checked_mul(a, b).value_or(0), product <= kMax ? a * b : 0);
  }
}

}  // namespace
}  // namespace lfm::base
