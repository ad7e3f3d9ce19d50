#include "base/exp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace lfm::base {
namespace {

TEST(Exp, IsNear) {
  double worst = 0;
  for (float x = -87; x <= 88; x += 0.00137f) {
    const double exact = std::exp(static_cast<double>(x));
    worst = std::max(worst, std::abs(static_cast<double>(base::exp(x)) / exact - 1));
  }
  EXPECT_LT(worst, 3e-7);
  EXPECT_EQ(base::exp(0), 1);
}

TEST(Exp, HoldsItsArguments) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(base::exp(-kInfinity), base::exp(-87));
  EXPECT_EQ(base::exp(kInfinity), base::exp(88));
  EXPECT_TRUE(std::isnan(base::exp(std::numeric_limits<float>::quiet_NaN())));
}

}  // namespace
}  // namespace lfm::base
