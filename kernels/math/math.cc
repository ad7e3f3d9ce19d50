#include "kernels/math/math.h"

#include <cmath>
#include <cstdint>

#include "kernels/vector/exp_scalar.h"

namespace lfm::kernels {
namespace {

// base^fraction, 0 <= fraction < 1: a square root for each bit of the fraction.
double power(double base, double fraction) noexcept {
  double result = 1;
  for (double root = std::sqrt(base); fraction != 0; root = std::sqrt(root)) {
    fraction *= 2;
    if (fraction < 1) continue;
    fraction -= 1;
    result *= root;
  }
  return result;
}

// pi / 2 in parts. The first two have 21 bits, so that their products with whole numbers below 2^32 are exact.
constexpr double kHalfPi[] = {0x1.921fbp+0, 0x1.5110bp-22, 0x1.18469898cc517p-44};
constexpr double kTwoOverPi = 0x1.45f306dc9c883p-1;

// Taylor's polynomials, for angles up to pi / 4. What they leave out is below 2^-54.
double cos_of(double x) noexcept {
  double sum = 0;
  for (int n = 16; n > 0; n -= 2) sum = (1 + sum) * (x * x) * (-1.0 / (n * (n - 1)));
  return 1 + sum;
}
double sin_of(double x) noexcept {
  double sum = 0;
  for (int n = 17; n > 1; n -= 2) sum = (1 + sum) * (x * x) * (-1.0 / (n * (n - 1)));
  return x + x * sum;
}

}  // namespace

float sigmoid(float x) noexcept {
  return 1.0f / (1.0f + scalar::exp(-x));
}

void rotary_angles(double base, std::size_t position, std::size_t half, float* cos, float* sin) noexcept {
  for (std::size_t i = 0; i < half; ++i) {
    const double angle =
        static_cast<double>(position) / power(base, static_cast<double>(i) / static_cast<double>(half));
    const auto quarter = static_cast<std::uint64_t>(angle * kTwoOverPi + 0.5);  // turns, that are taken off
    const auto n = static_cast<double>(quarter);
    const double rest = ((angle - n * kHalfPi[0]) - n * kHalfPi[1]) - n * kHalfPi[2];
    const double c = cos_of(rest), s = sin_of(rest);
    const double cos_now = quarter % 2 == 0 ? c : s, sin_now = quarter % 2 == 0 ? s : c;
    cos[i] = static_cast<float>(quarter % 4 == 1 || quarter % 4 == 2 ? -cos_now : cos_now);
    sin[i] = static_cast<float>(quarter % 4 >= 2 ? -sin_now : sin_now);
  }
}

}  // namespace lfm::kernels
