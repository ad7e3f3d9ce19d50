// A packed weight matrix, and the form in which its kernels want the activations.
#pragma once

#include <cstddef>
#include <variant>

#include "base/checked.h"
#include "kernels/matmul/layout.h"
#include "ops/xnn_linear.h"

namespace lfm::ops {

// Forms of activations, as bits of a mask.
using Forms = unsigned;
inline constexpr Forms kBlocks = 1;  // int8 rows with a scale per 32 columns (kernels/matmul/layout.h)
inline constexpr Forms kFloats = 2;  // float32 rows
inline constexpr Forms kRows = 4;    // int8 rows with one scale and zero point each, for XNNPACK

// (rows, columns), rows padded to whole tiles of 16. Doesn't own its bytes.
struct Matrix {
  using Format = std::variant<kernels::BlockFormat, kernels::FloatFormat, XnnLayout>;

  std::size_t rows = 0;
  std::size_t columns = 0;
  Format format = kernels::FloatFormat::kF32;
  const std::byte* data = nullptr;  // aligned to 64

  std::size_t tiles() const noexcept { return (rows + kernels::kTileRows - 1) / kernels::kTileRows; }
  Forms form() const noexcept {
    static constexpr Forms kByAlternative[] = {kBlocks, kFloats, kRows};
    return kByAlternative[format.index()];
  }
  // Bytes of `count` tiles of 16 rows.
  std::size_t tile_bytes() const noexcept {
    if (const auto* blocks = std::get_if<kernels::BlockFormat>(&format)) return kernels::tile_bytes(*blocks, columns);
    if (const auto* floats = std::get_if<kernels::FloatFormat>(&format)) return kernels::tile_bytes(*floats, columns);
    return std::get_if<XnnLayout>(&format)->row_bytes(columns) * kernels::kTileRows;
  }
  std::size_t bytes() const noexcept { return base::round_up(tile_bytes() * tiles(), 64); }
};

}  // namespace lfm::ops
