// Blocks of weights as GGUF types store them: codes, and the scales of a block, which the larger types store as small
// multiples of one or two numbers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "format/tensor_type.h"
#include "quantize/blocks/grid.h"

namespace lfm::quantize {

template <typename T>
void store(std::byte* out, T value) noexcept {
  std::memcpy(out, &value, sizeof value);
}

inline constexpr std::size_t kMostRuns = 16;  // of a block, with a scale each

// The scales of a block as its type holds them: d and dmin are halves, and what they are multiplied with belongs to a
// run of Grid::columns. Types whose block is one run have d alone.
struct BlockScales {
  std::uint16_t d = 0, dmin = 0;
  std::array<std::int8_t, kMostRuns> scales{};
  std::array<std::uint8_t, kMostRuns> minima{};

  Scale of(std::size_t run) const noexcept;
};

// For a type with a grid, block_columns(type) values, and weights of their squared errors, which may be null. False
// where a scale is beyond the type.
bool choose_scales(format::TensorType type, const float* x, const float* weights, BlockScales& scales) noexcept;

// `codes`, on the grid, in order.
void put_block(format::TensorType type, const BlockScales& scales, const float* codes, std::byte* out) noexcept;

}  // namespace lfm::quantize
