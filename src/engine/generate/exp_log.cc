#include "engine/generate/exp_log.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace lfm::engine {
namespace {

constexpr double kLn2High = 0x1.62e42fee00000p-1;  // 32 bits, so that its multiples are exact
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;

constexpr std::array<double, 14> taylor_coefficients() {
  std::array<double, 14> coefficients = {1.0};
  for (std::size_t i = 1; i < coefficients.size(); ++i) coefficients[i] = coefficients[i - 1] / static_cast<double>(i);
  return coefficients;
}

}  // namespace

// x = n ln 2 + r with |r| <= ln 2 / 2, and the Taylor series of e^r to r^13 / 13!, which leaves an error below 2^-54.
double exponential(double x) noexcept {
  constexpr double kLog2E = 0x1.71547652b82fep0;
  constexpr double kRounder = 0x1.8p52;  // adding and taking it away rounds to an integer
  const double n = (x * kLog2E + kRounder) - kRounder;
  const double r = (x - n * kLn2High) - n * kLn2Low;
  static constexpr auto kCoefficients = taylor_coefficients();
  double sum = 0;
  for (std::size_t i = kCoefficients.size(); i-- > 0;) sum = sum * r + kCoefficients[i];
  return sum * std::bit_cast<double>(static_cast<std::uint64_t>(static_cast<std::int64_t>(n) + 1023) << 52);
}

// x = 2^n m with m from 0.75 to 1.5, and ln m = 2 (s + s^3 / 3 + s^5 / 5 ...) with s = (m - 1) / (m + 1), |s| <= 0.2:
// 12 terms leave an error below 2^-58.
double logarithm(double x) noexcept {
  const auto bits = std::bit_cast<std::uint64_t>(x);
  constexpr std::uint64_t kThreeQuarters = 0x3FE8000000000000u;
  const auto n = static_cast<std::int64_t>(bits - kThreeQuarters) >> 52;
  const double m = std::bit_cast<double>(bits - (static_cast<std::uint64_t>(n) << 52));
  const double s = (m - 1) / (m + 1);
  double sum = 0;
  for (int i = 23; i > 0; i -= 2) sum = sum * s * s + 1.0 / i;
  const auto exponent = static_cast<double>(n);
  return exponent * kLn2High + (2 * s * sum + exponent * kLn2Low);
}

}  // namespace lfm::engine
