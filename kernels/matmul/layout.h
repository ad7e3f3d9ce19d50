// How quantised weights and activations lie in memory for the matmul kernels. One layout serves every ISA.
//
// Weights: a matrix of N rows (outputs) by K columns is cut into tiles of 16 rows; a tile holds all of K, block after
// block of 32 columns. N is padded to 16 with rows of zero scale. One block of one tile holds the codes of 16 x 32
// weights as planes, each plane in 64-byte lines in which row r owns bytes 4r .. 4r+3:
//
//   2-bit codes   2 lines. Line h, byte 4r+j: bits 2i,2i+1 = column 16h+4i+j,  i = 0..3
//   4-bit codes   nibble plane, 4 lines. Line l, byte 4r+j:  low nibble = column 4l+j,  high nibble = column 16+4l+j
//   5-bit codes   nibble plane + 1 line of fifth bits.   Byte 4r+j: bit i   = fifth bit of column 4i+j,   i = 0..7
//   6-bit codes   nibble plane + 2 lines of top bits.    Line h, byte 4r+j: bits 2i,2i+1 = top bits of column
//                 16h+4i+j,  i = 0..3
//   8-bit codes   8 lines. Line l, byte 4r+j: column 4l+j
//
// Codes are unsigned; weight = scale * (code - zero), or scale * code - min for the formats with minima. 8-bit codes
// are stored as signed value + 128 so that they too are the unsigned operand of vpdpbusd; IQ4_NL's stand for such
// values by a table (kNonlinearCodes), IQ4_XS's too, and MXFP4's by another. Scales and minima sit beside the codes as
// the file has them, so that repacking loses nothing:
//
//   format  zero  group (columns)  bytes of one group of a tile, in order
//   Q4_0     8    64   fp16 scale[2][16] (64)                       | 2 x nibbles 256                      =  576
//   Q5_0    16    64   fp16 scale[2][16] (64)                       | 2 x (nibbles 256 + fifth 64)         =  704
//   Q8_0   128    64   fp16 scale[2][16] (64)                       | 2 x codes 512                        = 1088
//   IQ4_NL 128    64   as Q4_0
//   MXFP4   16    64   bf16 scale[2][16] (64)                       | 2 x nibbles 256                      =  576
//   Q4_1     0    32   fp16 scale[16], fp16 min[16] (64)            | nibbles 256                          =  320
//   Q5_1     0    32   fp16 scale[16], fp16 min[16] (64)            | nibbles 256 + fifth 64               =  384
//   Q4_K     0   256   fp16 d[16], fp16 dmin[16] (64), then 8 x u8 {sc[16], m[16]} (256) | 8 x nibbles 256 = 2368
//   Q5_K     0   256   the same 320 bytes | 8 x (nibbles 256 + fifth 64)                                   = 2880
//   Q6_K    32   256   fp16 d[16] + 32 bytes of zeros (64), then 8 x i8 sc[2][16] (256) | 8 x (nibbles 256 + top 128) =
//   3392
//   Q3_K     8   256   the same 320 bytes | 8 x nibbles 256                                                = 2368
//   IQ4_XS 128   256   as Q3_K
//   Q2_K     0   256   fp16 d[16], fp16 dmin[16] (64), then 8 x u8 {sc | m << 4}[2][16] (256) | 8 x codes 128 = 1344
//
// In Q4_1/Q5_1 the file's m is added: weight = d * code + m. In Q4_K/Q5_K: weight = (d * sc) * code - (dmin * m).
// In Q6_K sc[0] scales columns 0..15 of the block and sc[1] columns 16..31: weight = (d * sc) * (code - 32). Q3_K is
// alike, with codes of three bits that are moved to 4..11; in IQ4_XS a block's scales are equal. In Q2_K both halves
// have a scale and a minimum: weight = (d * sc) * code - (dmin * m). Where a group has 64 columns and K is an odd
// multiple of 32, the last group's second block has zero scales and codes.
//
// Activations: a row of int8 codes for each token, in blocks of 32 columns with a scale each:
//
//   for each block of K/32:   int8 q[32] | float scale | int32 neg8_sum | int32 neg8_low | float scaled_sum
//
// x is scale * q with q in [-127, 127]; neg8_sum = -8 * sum(q), neg8_low = -8 * sum(q over columns 0..15);
// scaled_sum = scale * sum(q).
#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/matmul/formats.h"

namespace lfm::kernels {

// The number of this layout in packed files. Another layout takes another number, so that old files aren't misread.
inline constexpr std::uint32_t kTileLayout = 1;

inline constexpr std::size_t kTileRows = 16;       // weight rows of a tile
inline constexpr std::size_t kBlockColumns = 32;   // columns that share an activation scale
inline constexpr std::size_t kActBlockBytes = 48;  // 32 codes and four words

constexpr int bits(CodeKind kind) noexcept {
  switch (kind) {
    case CodeKind::k2Bit:
      return 2;
    case CodeKind::k5Bit:
      return 5;
    case CodeKind::k6Bit:
      return 6;
    case CodeKind::k8Bit:
      return 8;
    default:
      return 4;
  }
}

// Bytes of the planes of one block of 16 x 32 codes.
constexpr std::size_t plane_bytes(CodeKind kind) noexcept {
  return static_cast<std::size_t>(bits(kind)) * 64;
}

// Blocks of a group, and bytes of what heads it.
constexpr std::size_t group_blocks(ScaleKind kind) noexcept {
  return kind == ScaleKind::kPair || kind == ScaleKind::kPowers ? 2 : kind == ScaleKind::kMinima ? 1 : 8;
}
constexpr std::size_t header_bytes(ScaleKind kind) noexcept {
  return group_blocks(kind) == 8 ? 320 : 64;
}

constexpr bool has_minima(ScaleKind kind) noexcept {
  return kind == ScaleKind::kMinima || kind == ScaleKind::kSuper || kind == ScaleKind::kSuperHalves;
}

struct BlockLayout {
  std::size_t group_columns;  // columns of one group
  std::size_t group_bytes;    // bytes of one group of a 16-row tile
};

constexpr BlockLayout block_layout(BlockFormat format) noexcept {
  const BlockInfo& row = info(format);
  const std::size_t blocks = group_blocks(row.scales);
  return {blocks * kBlockColumns, header_bytes(row.scales) + blocks * plane_bytes(row.codes)};
}

// Bytes of a tile of 16 rows by k columns.
constexpr std::size_t tile_bytes(BlockFormat format, std::size_t k) noexcept {
  const BlockLayout layout = block_layout(format);
  return (k + layout.group_columns - 1) / layout.group_columns * layout.group_bytes;
}

// Bytes of a row of activations.
constexpr std::size_t act_row_bytes(std::size_t k) noexcept {
  return k / kBlockColumns * kActBlockBytes;
}

// Float weights: a tile of 16 rows holds column after column, the 16 rows of a column side by side.
constexpr std::size_t tile_bytes(FloatFormat format, std::size_t k) noexcept {
  return k * kTileRows * info(format).bytes;
}

}  // namespace lfm::kernels
