// The grids of types whose weights come in blocks: a weight is scale * code - minimum, codes are the levels of a type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "format/tensor_type.h"

namespace lfm::quantize {

inline constexpr std::size_t kBlock = 32;  // columns of the largest run with one scale

// kUniform levels are all numbers from least to most. kTable: those of IQ4_NL.
enum class Levels : std::uint8_t { kUniform, kTable };

struct Grid {
  Levels levels;
  float least, most;  // codes
  float first_ratio,
      step;  // largest weight / scale, of the scales that are tried; of minima: (most - least weight) / scale
  std::size_t columns;  // with one scale, and one minimum where there are any
  bool minima;          // which are 0 or more, and scales too
};

// None where every block has the scale of its largest weight (Q8_0), and where there are no blocks.
const Grid* grid_of(format::TensorType type) noexcept;

// The nearest code.
float nearest(const Grid& grid, float value) noexcept;

struct Scale {
  float scale = 0, minimum = 0;
};

// The scale with which codes of the grid come nearest to x, at most kBlock values: of those that are tried, the one
// with the least squared error when it is fitted. It has either sign where there are no minima. `weights` are those of
// the squared errors; where there are none, or they say nothing, 1. No scale where all of x is 0.
Scale best_scale(const Grid& grid, std::span<const float> x, const float* weights) noexcept;

// The squared error of x with its nearest codes, and the minimum that would suit these codes best.
struct Rounded {
  float error = 0, minimum = 0;
};
Rounded round_with(const Grid& grid, std::span<const float> x, const float* weights, Scale scale) noexcept;

}  // namespace lfm::quantize
