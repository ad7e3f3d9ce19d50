#include "quantize/blocks/grid.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/matmul/formats.h"

namespace lfm::quantize {
namespace {

constexpr int kTried = 13;       // scales of each sign
constexpr int kRefinements = 2;  // of the best of them
constexpr int kFollowed = 4;     // fits of a scale and a minimum, from each start
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
// The value, at least `least` and at most `most`, in the form that compilers have two instructions for.
Lanes between(Lanes value, float least, float most) noexcept {
  const Lanes raised = value < every(least) ? every(least) : value;
  return raised > every(most) ? every(most) : raised;
}

// The nearest whole number, of less than 2^22 either way.
Lanes whole(Lanes value) noexcept {
  return (value + every(kRounder)) - every(kRounder);
}

template <Levels kLevels>
Lanes level(const Grid& grid, Lanes value) noexcept {
  if constexpr (kLevels == Levels::kUniform) {
    return whole(between(value, grid.least, grid.most));
  } else {
    Lanes code = every(static_cast<float>(kernels::kNonlinearCodes[0]));
    for (std::size_t i = 0; i < 15; ++i) {
      const auto step = static_cast<float>(kernels::kNonlinearCodes[i + 1] - kernels::kNonlinearCodes[i]);
      code += std::bit_cast<Lanes>((value > every(kBorders.at[i])) & std::bit_cast<Bits>(every(step)));
    }
    return code;
  }
}

// A run of columns, padded with weights of 0.
struct Columns {
  float x[kBlock] = {}, w[kBlock] = {};
  float low = 0, high = 0;  // of x, and 0

  Columns(std::span<const float> values, const float* weights) noexcept {
    for (std::size_t i = 0; i < values.size(); ++i) {
      x[i] = values[i];
      w[i] = weights != nullptr ? weights[i] : 1;
      low = std::min(low, x[i]);
      high = std::max(high, x[i]);
    }
  }
  float largest() const noexcept { return std::max(-low, high); }
};

// Sums over a run and its nearest codes q.
struct Sums {
  float w = 0, x = 0, q = 0, xq = 0, qq = 0, xx = 0;

  // The best scale alone, and how much it takes from the squared error.
  float scale() const noexcept { return xq / qq; }
  float gain() const noexcept { return qq > 0 ? xq * xq / qq : 0; }

  // The best scale and minimum.
  Scale both() const noexcept {
    const float determinant = w * qq - q * q;
    if (!(determinant > 0)) return {};
    const Scale fitted{(w * xq - q * x) / determinant, (q * xq - qq * x) / determinant};
    return fitted.minimum > 0 ? fitted : Scale{qq > 0 ? scale() : 0, 0};
  }
  float error(Scale s) const noexcept {
    return xx - 2 * s.scale * xq + 2 * s.minimum * x + s.scale * s.scale * qq - 2 * s.scale * s.minimum * q +
           s.minimum * s.minimum * w;
  }
};

float sum_of(const Lanes (&lanes)[2]) noexcept {
  const Lanes both = lanes[0] + lanes[1];
  return (both[0] + both[2]) + (both[1] + both[3]);
}

// Of the codes of (x + minimum) * inverse. Without minima only the sums that a scale alone needs.
template <Levels kLevels, bool kMinima>
Sums sums(const Grid& grid, const Columns& columns, float inverse, float minimum) noexcept {
  constexpr std::size_t kVectors = 2;  // of sums side by side
  Lanes w[kVectors] = {}, x[kVectors] = {}, q[kVectors] = {}, xq[kVectors] = {}, qq[kVectors] = {}, xx[kVectors] = {};
  for (std::size_t i = 0; i < kBlock; i += kVectors * kLanes) {
    for (std::size_t v = 0; v < kVectors; ++v) {
      Lanes values, weights;
      std::memcpy(&values, columns.x + i + v * kLanes, sizeof values);
      std::memcpy(&weights, columns.w + i + v * kLanes, sizeof weights);
      const Lanes code =
          level<kLevels>(grid, kMinima ? (values + every(minimum)) * every(inverse) : values * every(inverse));
      xq[v] += weights * values * code;
      qq[v] += weights * code * code;
      if constexpr (kMinima) {
        w[v] += weights;
        x[v] += weights * values;
        q[v] += weights * code;
        xx[v] += weights * values * values;
      }
    }
  }
  if constexpr (!kMinima) return {0, 0, 0, sum_of(xq), sum_of(qq), 0};
  return {sum_of(w), sum_of(x), sum_of(q), sum_of(xq), sum_of(qq), sum_of(xx)};
}

// Of the codes of x * inverse, and of x * -inverse: the sums that a scale alone needs. They are rounded once: since the
// grid's ends are whole, a value may be limited after it. The second codes are those of the first inverse with the
// other sign, and so are the ends of their grid.
template <Levels kLevels>
std::array<Sums, 2> of_both_signs(const Grid& grid, const Columns& columns, float inverse) noexcept {
  if constexpr (kLevels == Levels::kTable) {
    return {sums<kLevels, false>(grid, columns, inverse, 0), sums<kLevels, false>(grid, columns, -inverse, 0)};
  } else {
    constexpr std::size_t kVectors = 2;
    Lanes xq[2][kVectors] = {}, qq[2][kVectors] = {};
    for (std::size_t i = 0; i < kBlock; i += kVectors * kLanes) {
      for (std::size_t v = 0; v < kVectors; ++v) {
        Lanes values, weights;
        std::memcpy(&values, columns.x + i + v * kLanes, sizeof values);
        std::memcpy(&weights, columns.w + i + v * kLanes, sizeof weights);
        const Lanes all = whole(values * every(inverse));
        const Lanes codes[2] = {between(all, grid.least, grid.most), between(all, -grid.most, -grid.least)};
        for (std::size_t sign = 0; sign < 2; ++sign) {
          xq[sign][v] += weights * values * codes[sign];
          qq[sign][v] += weights * codes[sign] * codes[sign];
        }
      }
    }
    return {Sums{0, 0, 0, sum_of(xq[0]), sum_of(qq[0]), 0}, Sums{0, 0, 0, -sum_of(xq[1]), sum_of(qq[1]), 0}};
  }
}

template <Levels kLevels>
Scale search(const Grid& grid, const Columns& columns) noexcept {
  const float largest = columns.largest();
  if (!(largest > 0)) return {};
  Sums best;
  for (int i = 0; i < kTried; ++i) {
    const float inverse = (grid.first_ratio + static_cast<float>(i) * grid.step) / largest;
    for (const Sums& found : of_both_signs<kLevels>(grid, columns, inverse)) {
      if (found.gain() > best.gain()) best = found;
    }
  }
  if (best.qq == 0) return {};
  for (int i = 0; i < kRefinements; ++i) {
    const Sums found = sums<kLevels, false>(grid, columns, best.qq / best.xq, 0);
    if (found.gain() > best.gain()) best = found;
  }
  return {best.scale(), 0};
}

Sums with_minimum(const Grid& grid, const Columns& columns, Scale s) noexcept {
  return sums<Levels::kUniform, true>(grid, columns, s.scale != 0 ? 1 / s.scale : 0, s.minimum);
}

Scale search_with_minimum(const Grid& grid, const Columns& columns) noexcept {
  const float width = columns.high - columns.low;
  if (!(width > 0)) return {};
  Scale best{width / grid.most, -columns.low};  // where the sums are too large or too small for floats
  float least = std::numeric_limits<float>::max();
  // Of a start the codes, of the codes the best scale and minimum, and so on.
  const auto follow = [&](Scale scale) {
    for (int i = 0; i < kFollowed && scale.scale > 0; ++i) {
      const Sums found = with_minimum(grid, columns, scale);
      const Scale fitted = found.both();
      const float error = found.error(fitted);
      if (!(error < least) || !(fitted.scale > 0)) return;
      best = scale = fitted;
      least = error;
    }
  };
  for (int i = 0; i < kTried; ++i)
    follow({width / (grid.first_ratio + static_cast<float>(i) * grid.step), -columns.low});
  return best;
}

}  // namespace

const Grid* grid_of(format::TensorType type) noexcept {
  using format::TensorType;
  static constexpr Grid kQ4_0 = {Levels::kUniform, -8, 7, 5.5f, 0.25f, 32, false};
  static constexpr Grid kIQ4_NL = {Levels::kTable, -127, 113, 86.0f, 4.0f, 32, false};
  static constexpr Grid kQ4_K = {Levels::kUniform, 0, 15, 13.5f, 0.25f, 32, true};
  static constexpr Grid kQ5_K = {Levels::kUniform, 0, 31, 29.0f, 0.3f, 32, true};
  static constexpr Grid kQ6_K = {Levels::kUniform, -32, 31, 28.0f, 0.5f, 16, false};
  switch (type) {
    case TensorType::kQ4_0:
      return &kQ4_0;
    case TensorType::kIQ4_NL:
      return &kIQ4_NL;
    case TensorType::kQ4_K:
      return &kQ4_K;
    case TensorType::kQ5_K:
      return &kQ5_K;
    case TensorType::kQ6_K:
      return &kQ6_K;
    default:
      return nullptr;
  }
}

float nearest(const Grid& grid, float value) noexcept {
  const Lanes lanes = every(value);
  return (grid.levels == Levels::kUniform ? level<Levels::kUniform>(grid, lanes)
                                          : level<Levels::kTable>(grid, lanes))[0];
}

Scale best_scale(const Grid& grid, std::span<const float> x, const float* weights) noexcept {
  const Columns columns(x, weights);
  const Scale best = grid.minima                       ? search_with_minimum(grid, columns)
                     : grid.levels == Levels::kUniform ? search<Levels::kUniform>(grid, columns)
                                                       : search<Levels::kTable>(grid, columns);
  // Weights of 0, or too large to be summed, say nothing.
  return best.scale == 0 && weights != nullptr ? best_scale(grid, x, nullptr) : best;
}

Rounded round_with(const Grid& grid, std::span<const float> x, const float* weights, Scale scale) noexcept {
  const Columns columns(x, weights);
  const Sums found = with_minimum(grid, columns, scale);
  return {found.error(scale), found.w > 0 ? std::max(0.0f, (scale.scale * found.q - found.x) / found.w) : 0};
}

}  // namespace lfm::quantize
