#include "engine/generate/exp_log.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace lfm::engine {
namespace {

constexpr double kUlps = 4 * std::numeric_limits<double>::epsilon();

TEST(ExpLog, AsTheLibrarysToAFewUlps) {
  for (double x = kNegligible; x <= 0; x += 0.0137) EXPECT_NEAR(exponential(x), std::exp(x), kUlps * std::exp(x)) << x;
  EXPECT_EQ(exponential(0), 1);
  for (double x = 1e-300; x < 1e300; x *= 1.37) {
    EXPECT_NEAR(logarithm(x), std::log(x), kUlps * std::abs(std::log(x))) << x;
  }
  for (double x = 0.7; x < 1.6; x += 1e-4) EXPECT_NEAR(logarithm(x), std::log(x), kUlps * std::abs(std::log(x))) << x;
  EXPECT_EQ(logarithm(1), 0);
}

}  // namespace
}  // namespace lfm::engine
