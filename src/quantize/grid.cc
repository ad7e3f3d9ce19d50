#include "quantize/grid.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/matmul/formats.h"

namespace lfm::quantize {
namespace {

constexpr int kTried = 13;       // scales of each sign
constexpr int kRefinements = 2;  // of the best of them
constexpr std::size_t kLanes = 4;
using Lanes [[gnu::vector_size(16)]] = float;  // which compilers know, whatever the CPU
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

using Bits [[gnu::vector_size(16)]] = std::int32_t;

Lanes every(float value) noexcept {
  return Lanes{value, value, value, value};
}
// One where the condition holds, else the other.
Lanes choose(Bits condition, Lanes one, Lanes other) noexcept {
  return std::bit_cast<Lanes>((condition & std::bit_cast<Bits>(one)) | (~condition & std::bit_cast<Bits>(other)));
}

template <Levels kLevels>
Lanes level(const Grid& grid, Lanes value) noexcept {
  if constexpr (kLevels == Levels::kUniform) {
    const Lanes least = every(grid.least), most = every(grid.most), rounder = every(kRounder);
    const Lanes low = choose(value < least, least, value);
    return (choose(low > most, most, low) + rounder) - rounder;
  } else {
    Lanes code = every(static_cast<float>(kernels::kNonlinearCodes[0]));
    for (std::size_t i = 0; i < 15; ++i) {
      const auto step = static_cast<float>(kernels::kNonlinearCodes[i + 1] - kernels::kNonlinearCodes[i]);
      code += std::bit_cast<Lanes>((value > every(kBorders.at[i])) & std::bit_cast<Bits>(every(step)));
    }
    return code;
  }
}

struct Fit {
  float xq = 0;  // sum w x q
  float qq = 0;  // sum w q q
  float gain() const noexcept { return qq > 0 ? xq * xq / qq : 0; }
};

template <Levels kLevels>
Fit fit(const Grid& grid, const float* x, const float* w, float inverse) noexcept {
  constexpr std::size_t kVectors = 2;  // of sums side by side
  Lanes xq[kVectors] = {}, qq[kVectors] = {};
  for (std::size_t i = 0; i < kBlock; i += kVectors * kLanes) {
    for (std::size_t v = 0; v < kVectors; ++v) {
      Lanes values, weights;
      std::memcpy(&values, x + i + v * kLanes, sizeof values);
      std::memcpy(&weights, w + i + v * kLanes, sizeof weights);
      const Lanes q = level<kLevels>(grid, values * every(inverse));
      xq[v] += weights * values * q;
      qq[v] += weights * q * q;
    }
  }
  Fit sum;
  for (std::size_t v = 0; v < kVectors; ++v) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      sum.xq += xq[v][lane];
      sum.qq += qq[v][lane];
    }
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
  const Lanes lanes = every(value);
  return (grid.levels == Levels::kUniform ? level<Levels::kUniform>(grid, lanes)
                                          : level<Levels::kTable>(grid, lanes))[0];
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
