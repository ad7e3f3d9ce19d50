// The grids of blocks with one scale: weights are scale * code, codes are the levels of a type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace lfm::quantize {

inline constexpr std::size_t kBlock = 32;  // columns of the largest block here

// kUniform levels are all numbers from least to most. kTable: those of IQ4_NL.
enum class Levels : std::uint8_t { kUniform, kTable };

struct Grid {
  Levels levels;
  float least, most;        // codes
  float first_ratio, step;  // largest weight / scale, of the scales that are tried
};

inline constexpr Grid kQ4_0Grid = {Levels::kUniform, -8, 7, 5.5f, 0.25f};
inline constexpr Grid kQ6_KGrid = {Levels::kUniform, -32, 31, 28.0f, 0.5f};
inline constexpr Grid kIQ4_NLGrid = {Levels::kTable, -127, 113, 86.0f, 4.0f};

// The nearest code.
float nearest(const Grid& grid, float value) noexcept;

// The scale, of either sign, with which codes of the grid come nearest to x: of the scales that are tried, the one with
// the greatest (sum w x q)^2 / sum w q^2, which is then fitted. `weights` are those of the squared errors; where there
// are none, 1. At most kBlock values. 0 where all are.
float best_scale(const Grid& grid, std::span<const float> x, const float* weights) noexcept;

}  // namespace lfm::quantize
