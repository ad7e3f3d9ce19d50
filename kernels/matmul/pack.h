// Repacking of GGUF's row-major blocks into the tiles of layout.h, without loss. Portable; the same bytes on every CPU.
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matmul/layout.h"

namespace lfm::kernels {

// Bytes of one row of k columns as a GGUF file holds it.
std::size_t gguf_row_bytes(BlockFormat format, std::size_t k) noexcept;
std::size_t gguf_row_bytes(FloatFormat format, std::size_t k) noexcept;

// Packs `rows` (1..16) consecutive rows into one tile; the rows that are missing get zero scales (zero weights).
//   source   rows x gguf_row_bytes(format, k);   tile   tile_bytes(format, k), every byte is written
// Returns the number of the first block (in file order, row-major) whose scale or minimum isn't finite, or -1.
std::ptrdiff_t pack_tile(BlockFormat format, const std::byte* source, std::size_t rows, std::size_t k,
                         std::byte* tile) noexcept;
// Returns the number of the first weight that isn't finite, or -1.
std::ptrdiff_t pack_tile(FloatFormat format, const std::byte* source, std::size_t rows, std::size_t k,
                         std::byte* tile) noexcept;

// Row r (0..15) of a tile as k floats: the exact weights (product of scale and code rounded once).
void unpack_row(BlockFormat format, const std::byte* tile, std::size_t r, std::size_t k, float* out) noexcept;
void unpack_row(FloatFormat format, const std::byte* tile, std::size_t r, std::size_t k, float* out) noexcept;

}  // namespace lfm::kernels
