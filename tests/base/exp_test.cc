#include "base/exp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace lfm::base {
namespace {

float exp_of(float x) {
  exp_all(&x, 1);
  return x;
}

TEST(Exp, IsNear) {
  std::vector<float> x;
  for (float value = -87; value <= 88; value += 0.00137f) x.push_back(value);
  std::vector<float> found = x;
  exp_all(found.data(), found.size());
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i)
    worst = std::max(worst, std::abs(static_cast<double>(found[i]) / std::exp(static_cast<double>(x[i])) - 1));
  EXPECT_LT(worst, 3e-7);
  EXPECT_EQ(exp_of(0), 1);
}

TEST(Exp, TakesAnyNumberOfThem) {
  for (std::size_t n = 0; n < 10; ++n) {
    std::vector<float> x(n + 1, 2);
    exp_all(x.data(), n);
    for (std::size_t i = 0; i < n; ++i) EXPECT_EQ(x[i], exp_of(2));
    EXPECT_EQ(x[n], 2);
  }
}

TEST(Exp, HoldsItsArguments) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(exp_of(-kInfinity), exp_of(-87));
  EXPECT_EQ(exp_of(kInfinity), exp_of(88));
  EXPECT_TRUE(std::isnan(exp_of(std::numeric_limits<float>::quiet_NaN())));
}

}  // namespace
}  // namespace lfm::base
