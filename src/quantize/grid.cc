#include "quantize/grid.h"

#include <algorithm>
#include <cmath>

#include "kernels/matmul/formats.h"

namespace lfm::quantize {
namespace {

constexpr int kTried = 13;       // scales of each sign
constexpr int kRefinements = 2;  // of the best of them
constexpr std::size_t kLanes = 8;
constexpr float kRounder = 12582912;  // 1.5 * 2^23: added and taken away, it rounds to the nearest whole number

// Level codes between which the table's nearest changes.
struct Borders {
  float at[15];
};
constexpr Borders borders() {
  Borders all{};
  for (std::size_t i = 0; i < 15; ++i) {
    const int sum = kernels::kNonlinearCodes[i] + kernels::kNonlinearCodes[i + 1];
    all.at[i] = static_cast<float>(sum) / 2;
  }
  return all;
}
constexpr Borders kBorders = borders();

template <Levels kLevels>
float level(const Grid& grid, float value) noexcept {
  if constexpr (kLevels == Levels::kUniform) {
    const float inside = std::min(std::max(value, grid.least), grid.most);
    return (inside + kRounder) - kRounder;
  } else {
    float code = static_cast<float>(kernels::kNonlinearCodes[0]);
    for (std::size_t i = 0; i < 15; ++i) {
      const float step = static_cast<float>(kernels::kNonlinearCodes[i + 1] - kernels::kNonlinearCodes[i]);
      code += value > kBorders.at[i] ? step : 0.0f;
    }
    return code;
  }
}

struct Fit {
  float xq = 0;  // sum w x q
  float qq = 0;  // sum w q q
  float gain() const noexcept { return qq > 0 ? xq * xq / qq : 0; }
};

// In lanes, so that compilers need not reorder sums to do several at once.
template <Levels kLevels>
Fit fit(const Grid& grid, const float* x, const float* w, float inverse) noexcept {
  float xq[kLanes] = {}, qq[kLanes] = {};
  for (std::size_t i = 0; i < kBlock; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const float q = level<kLevels>(grid, x[i + lane] * inverse);
      xq[lane] += w[i + lane] * x[i + lane] * q;
      qq[lane] += w[i + lane] * q * q;
    }
  }
  Fit sum;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    sum.xq += xq[lane];
    sum.qq += qq[lane];
  }
  return sum;
}

template <Levels kLevels>
float search(const Grid& grid, const float* x, const float* w, float largest) noexcept {
  Fit best;
  for (int i = 0; i < kTried; ++i) {
    const float inverse = (grid.first_ratio + static_cast<float>(i) * grid.step) / largest;
    for (const float signed_inverse : {inverse, -inverse}) {
      const Fit found = fit<kLevels>(grid, x, w, signed_inverse);
      if (found.gain() > best.gain()) best = found;
    }
  }
  if (best.qq == 0) return 0;
  for (int i = 0; i < kRefinements; ++i) {
    const Fit found = fit<kLevels>(grid, x, w, best.qq / best.xq);
    if (found.gain() > best.gain()) best = found;
  }
  return best.xq / best.qq;
}

}  // namespace

float nearest(const Grid& grid, float value) noexcept {
  return grid.levels == Levels::kUniform ? level<Levels::kUniform>(grid, value) : level<Levels::kTable>(grid, value);
}

float best_scale(const Grid& grid, std::span<const float> x, const float* weights) noexcept {
  float padded[kBlock] = {}, w[kBlock] = {};
  float largest = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    padded[i] = x[i];
    w[i] = weights != nullptr ? weights[i] : 1;
    largest = std::max(largest, std::abs(x[i]));
  }
  if (!(largest > 0)) return 0;
  return grid.levels == Levels::kUniform ? search<Levels::kUniform>(grid, padded, w, largest)
                                         : search<Levels::kTable>(grid, padded, w, largest);
}

}  // namespace lfm::quantize
