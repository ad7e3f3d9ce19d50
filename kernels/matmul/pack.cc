#include "kernels/matmul/pack.h"

#include <cstring>

#include "kernels/matmul/planes.h"

namespace lfm::kernels {
namespace {

// Four bits of 32 columns: low nibbles of 16 bytes, then high nibbles.
void nibble_codes(const std::byte* qs, CodeWords& codes) noexcept {
  for (std::size_t i = 0; i < 4; ++i) {
    const auto word = load<std::uint32_t>(qs + 4 * i);
    codes[i] = word & 0x0f0f0f0fu;
    codes[i + 4] = word >> 4 & 0x0f0f0f0fu;
  }
}

// Bit i of qh is the fifth bit of column i.
void add_fifth_bits(const std::byte* qh, CodeWords& codes) noexcept {
  constexpr std::uint32_t kSpread = 1 | 1 << 7 | 1 << 14 | 1 << 21;  // bit j of four goes to byte j
  const auto bits = load<std::uint32_t>(qh);
  for (std::size_t i = 0; i < 8; ++i) codes[i] |= ((bits >> 4 * i & 15) * kSpread & 0x01010101u) << 4;
}

// The low nibbles of 32 bytes, or the high ones.
void wide_nibble_codes(const std::byte* qs, bool high, CodeWords& codes) noexcept {
  for (std::size_t i = 0; i < 8; ++i) codes[i] = load<std::uint32_t>(qs + 4 * i) >> (high ? 4 : 0) & 0x0f0f0f0fu;
}

// Bits of 32 bytes, as `mask` has them in each byte after the shift, become bits 4 and up.
void add_wide_bits(const std::byte* qh, std::size_t shift, std::uint32_t mask, CodeWords& codes) noexcept {
  for (std::size_t i = 0; i < 8; ++i) codes[i] |= (load<std::uint32_t>(qh + 4 * i) >> shift & mask) << 4;
}

// Two bits of columns 4i .. 4i+3 of block b of 256.
std::uint32_t two_bits(const std::byte* qs, std::size_t b, std::size_t i) noexcept {
  return load<std::uint32_t>(qs + 32 * (b / 4) + 4 * i) >> 2 * (b % 4) & 0x03030303u;
}

// The unsigned codes of 32 columns, number b of the block of a GGUF file.
//   IQ4_NL  as Q4_0
//   Q2_K  scales[16] qs[64] d, dmin                as Q3_K without hmask; a scale and a minimum for 16 columns
//   Q3_K  hmask[32] qs[64] scales[12] d            of each half of 128 columns, bits 2b,2b+1 of 32 bytes of qs hold
//                                                  block b; bit b of hmask[i], of all 8 blocks, is the third
//   IQ4_XS  d scales_h[2] scales_l[4] qs[128]
//   MXFP4  e  qs[16]
//   Q4_0  d        qs[16]        Q4_1  d, m        qs[16]        Q8_0  d  qs[32], signed
//   Q5_0  d qh[4]  qs[16]        Q5_1  d, m qh[4]  qs[16]
//   Q4_K  d, dmin scales[12]         qs[128]       32 bytes hold two blocks: low nibbles, high nibbles
//   Q5_K  d, dmin scales[12] qh[32]  qs[128]       bit b of qh[i] is the fifth bit of column i of block b
//   Q6_K  ql[128] qh[64] scales[16] d              of each half of 128 columns, 64 bytes of ql hold blocks
//                                                  0 1 (low nibbles) 2 3 (high), bits 2b,2b+1 of qh[i] the top
template <BlockFormat kFormat>
void file_codes(const std::byte* block, std::size_t b, CodeWords& codes) noexcept {
  if constexpr (kFormat == BlockFormat::kQ4_0 || kFormat == BlockFormat::kIQ4_NL) {
    nibble_codes(block + 2, codes);
  } else if constexpr (kFormat == BlockFormat::kQ4_1) {
    nibble_codes(block + 4, codes);
  } else if constexpr (kFormat == BlockFormat::kQ5_0) {
    nibble_codes(block + 6, codes);
    add_fifth_bits(block + 2, codes);
  } else if constexpr (kFormat == BlockFormat::kQ5_1) {
    nibble_codes(block + 8, codes);
    add_fifth_bits(block + 4, codes);
  } else if constexpr (kFormat == BlockFormat::kQ8_0) {
    for (std::size_t i = 0; i < 8; ++i) codes[i] = load<std::uint32_t>(block + 2 + 4 * i) ^ 0x80808080u;
  } else if constexpr (kFormat == BlockFormat::kQ2_K) {
    for (std::size_t i = 0; i < 8; ++i) codes[i] = two_bits(block + 16, b, i);
  } else if constexpr (kFormat == BlockFormat::kQ3_K) {
    for (std::size_t i = 0; i < 8; ++i) {
      const std::uint32_t low = two_bits(block + 32, b, i);
      const std::uint32_t third = load<std::uint32_t>(block + 4 * i) >> b & 0x01010101u;
      codes[i] = (low | third << 2) + 0x04040404u;
    }
  } else if constexpr (kFormat == BlockFormat::kMXFP4) {
    nibble_codes(block + 1, codes);
  } else if constexpr (kFormat == BlockFormat::kIQ4_XS) {
    nibble_codes(block + 8 + 16 * b, codes);
  } else if constexpr (kFormat == BlockFormat::kQ4_K) {
    wide_nibble_codes(block + 16 + 32 * (b / 2), b % 2 != 0, codes);
  } else if constexpr (kFormat == BlockFormat::kQ5_K) {
    wide_nibble_codes(block + 48 + 32 * (b / 2), b % 2 != 0, codes);
    add_wide_bits(block + 16, b, 0x01010101u, codes);
  } else {
    static_assert(kFormat == BlockFormat::kQ6_K);
    wide_nibble_codes(block + 64 * (b / 4) + 32 * (b % 2), b % 4 >= 2, codes);
    add_wide_bits(block + 128 + 32 * (b / 4), 2 * (b % 4), 0x03030303u, codes);
  }
}

// The 6-bit scale and minimum of block b in the scales[12] of Q4_K and Q5_K.
struct SmallScale {
  std::uint8_t scale;
  std::uint8_t min;
};

SmallScale small_scale(const std::byte* scales, std::size_t b) noexcept {
  const auto at = [scales](std::size_t i) { return load<std::uint8_t>(scales + i); };
  if (b < 4) return {static_cast<std::uint8_t>(at(b) & 63), static_cast<std::uint8_t>(at(b + 4) & 63)};
  return {static_cast<std::uint8_t>((at(b + 4) & 15) | at(b - 4) >> 6 << 4),
          static_cast<std::uint8_t>(at(b + 4) >> 4 | at(b) >> 6 << 4)};
}

bool is_finite(std::uint16_t half) noexcept {
  return (half & 0x7c00) != 0x7c00;
}

template <BlockFormat kFormat>
bool block_is_finite(const std::byte* block) noexcept {
  if constexpr (info(kFormat).scales == ScaleKind::kPowers) return load<std::uint8_t>(block) != 0xff;
  const std::byte* d = block + scale_offset(kFormat);
  return is_finite(load<std::uint16_t>(d)) &&
         (!has_minima(info(kFormat).scales) || is_finite(load<std::uint16_t>(d + 2)));
}

// The scale of columns 16i .. 16i+15 of a block of 256.
template <BlockFormat kFormat>
std::int8_t half_scale(const std::byte* block, std::size_t i) noexcept {
  const auto at = [block](std::size_t offset) { return load<std::uint8_t>(block + offset); };
  if constexpr (kFormat == BlockFormat::kQ3_K) {  // low nibbles of 16, then two more bits of each
    const int low = at(96 + i % 8) >> (i < 8 ? 0 : 4) & 15;
    return static_cast<std::int8_t>((low | (at(104 + i % 4) >> 2 * (i / 4) & 3) << 4) - 32);
  } else if constexpr (kFormat == BlockFormat::kIQ4_XS) {  // the same, of 32 columns each
    const int low = at(4 + i / 4) >> (i / 2 % 2 == 0 ? 0 : 4) & 15;
    return static_cast<std::int8_t>((low | (load<std::uint16_t>(block + 2) >> i / 2 * 2 & 3) << 4) - 32);
  } else {
    static_assert(kFormat == BlockFormat::kQ6_K);
    return load<std::int8_t>(block + 192 + i);
  }
}

// 2^(exponent - 128) as bf16, of which the lowest two are subnormal.
std::uint16_t power_of_two(std::uint8_t exponent) noexcept {
  return static_cast<std::uint16_t>(exponent < 2 ? 0x20 << exponent : (exponent - 1) << 7);
}

// Writes row r of the vectors that head a group, from the file's block number b of the group.
template <BlockFormat kFormat>
void write_scales(const std::byte* block, std::size_t b, std::size_t r, std::byte* group) noexcept {
  constexpr ScaleKind kKind = info(kFormat).scales;
  const std::byte* d = block + scale_offset(kFormat);
  std::byte* row = group + 32 * b + 2 * r;
  if constexpr (kKind == ScaleKind::kPowers) return store(row, power_of_two(load<std::uint8_t>(d)));
  store(row, load<std::uint16_t>(d));
  if constexpr (kKind == ScaleKind::kPair) return;
  store(row + 32, has_minima(kKind) ? load<std::uint16_t>(d + 2) : std::uint16_t{0});
  std::byte* small = group + kLine + r;
  if constexpr (kKind == ScaleKind::kSuper) {
    for (std::size_t i = 0; i < 8; ++i) {
      const SmallScale pair = small_scale(block + 4, i);
      store(small + 32 * i, pair.scale);
      store(small + 32 * i + 16, pair.min);
    }
  }
  if constexpr (kKind == ScaleKind::kHalves) {
    for (std::size_t i = 0; i < 16; ++i) store(small + 16 * i, half_scale<kFormat>(block, i));
  }
  if constexpr (kKind == ScaleKind::kSuperHalves) {
    for (std::size_t i = 0; i < 16; ++i) store(small + 16 * i, block[i]);
  }
}

// The number of the first block with a scale or minimum that isn't finite.
template <BlockFormat kFormat>
std::ptrdiff_t first_bad_block(const std::byte* source, std::size_t blocks) noexcept {
  constexpr BlockInfo kInfo = info(kFormat);
  for (std::size_t i = 0; i < blocks; ++i) {
    if (!block_is_finite<kFormat>(source + i * kInfo.file_bytes)) return static_cast<std::ptrdiff_t>(i);
  }
  return -1;
}

template <BlockFormat kFormat>
std::ptrdiff_t pack_blocks(const std::byte* source, std::size_t rows, std::size_t k, std::byte* tile) noexcept {
  constexpr BlockInfo kInfo = info(kFormat);
  constexpr BlockLayout kLayout = block_layout(kFormat);
  constexpr std::size_t kBlocksOfFileBlock = kInfo.file_columns / kBlockColumns;
  const std::size_t file_blocks = k / kInfo.file_columns;  // of a row
  if (rows < kTileRows || k % kLayout.group_columns != 0) std::memset(tile, 0, tile_bytes(kFormat, k));
  bool finite = true;
  for (std::size_t i = 0; i < file_blocks; ++i) {
    const std::size_t column = i * kInfo.file_columns;
    const std::size_t b = column % kLayout.group_columns / kBlockColumns;
    std::byte* group = tile + column / kLayout.group_columns * kLayout.group_bytes;
    std::byte* planes = group + header_bytes(kInfo.scales) + b * plane_bytes(kInfo.codes);
    for (std::size_t r = 0; r < rows; ++r) {
      const std::byte* block = source + (r * file_blocks + i) * kInfo.file_bytes;
      finite &= block_is_finite<kFormat>(block);
      write_scales<kFormat>(block, b, r, group);
      for (std::size_t j = 0; j < kBlocksOfFileBlock; ++j) {
        CodeWords codes;
        file_codes<kFormat>(block, j, codes);
        write_codes<kInfo.codes>(codes, planes + j * plane_bytes(kInfo.codes), r);
      }
    }
  }
  return finite ? -1 : first_bad_block<kFormat>(source, rows * file_blocks);
}

template <BlockFormat kFormat>
void unpack_blocks(const std::byte* tile, std::size_t r, std::size_t k, float* out) noexcept {
  constexpr BlockInfo kInfo = info(kFormat);
  constexpr BlockLayout kLayout = block_layout(kFormat);
  for (std::size_t column = 0; column < k; column += kBlockColumns) {
    const std::byte* group = tile + column / kLayout.group_columns * kLayout.group_bytes;
    const std::size_t b = column % kLayout.group_columns / kBlockColumns;
    std::uint8_t codes[kBlockColumns];
    read_codes<kInfo.codes>(group + header_bytes(kInfo.scales) + b * plane_bytes(kInfo.codes), r, codes);
    const RowScale s = row_scale<kInfo.scales>(group, b, r);
    for (std::size_t i = 0; i < kBlockColumns; ++i) {
      const float scale = s.scale * static_cast<float>(s.step[i / 16]);
      out[column + i] = scale * static_cast<float>(codes[i] - kInfo.zero) + s.offset[i / 16];
    }
  }
}

// Calls visit.operator()<format>() for a format known at run time.
template <class Visit>
auto with_format(BlockFormat format, Visit visit) noexcept {
  switch (format) {
#define LFM_BLOCK_FORMAT(name, ...) \
  case BlockFormat::k##name:        \
    return visit.template operator()<BlockFormat::k##name>();
#include "kernels/matmul/formats.inc"
  }
  __builtin_unreachable();
}

// Columns side by side become rows side by side. exponent: the bits that are all set in infinity and NaN.
template <class T>
std::ptrdiff_t pack_floats(const std::byte* source, std::size_t rows, std::size_t k, T exponent,
                           std::byte* tile) noexcept {
  if (rows < kTileRows) std::memset(tile, 0, k * kTileRows * sizeof(T));
  bool finite = true;
  for (std::size_t c = 0; c < k; ++c) {
    for (std::size_t r = 0; r < rows; ++r) {
      const T value = load<T>(source + (r * k + c) * sizeof(T));
      finite &= (value & exponent) != exponent;
      store(tile + (c * kTileRows + r) * sizeof(T), value);
    }
  }
  if (finite) return -1;
  std::size_t i = 0;
  while ((load<T>(source + i * sizeof(T)) & exponent) != exponent) ++i;
  return static_cast<std::ptrdiff_t>(i);
}

}  // namespace

std::size_t gguf_row_bytes(BlockFormat format, std::size_t k) noexcept {
  return k / info(format).file_columns * info(format).file_bytes;
}

std::size_t gguf_row_bytes(FloatFormat format, std::size_t k) noexcept {
  return k * info(format).bytes;
}

std::ptrdiff_t pack_tile(BlockFormat format, const std::byte* source, std::size_t rows, std::size_t k,
                         std::byte* tile) noexcept {
  return with_format(format, [=]<BlockFormat kFormat>() { return pack_blocks<kFormat>(source, rows, k, tile); });
}

std::ptrdiff_t pack_tile(FloatFormat format, const std::byte* source, std::size_t rows, std::size_t k,
                         std::byte* tile) noexcept {
  if (format == FloatFormat::kF32) return pack_floats<std::uint32_t>(source, rows, k, 0x7f800000, tile);
  return pack_floats<std::uint16_t>(source, rows, k, format == FloatFormat::kF16 ? 0x7c00 : 0x7f80, tile);
}

void unpack_row(BlockFormat format, const std::byte* tile, std::size_t r, std::size_t k, float* out) noexcept {
  with_format(format, [=]<BlockFormat kFormat>() { unpack_blocks<kFormat>(tile, r, k, out); });
}

void unpack_row(FloatFormat format, const std::byte* tile, std::size_t r, std::size_t k, float* out) noexcept {
  for (std::size_t c = 0; c < k; ++c) {
    const std::size_t i = c * kTileRows + r;
    if (format == FloatFormat::kF32) out[c] = load<float>(tile + 4 * i);
    if (format == FloatFormat::kF16) out[c] = float_from_half(load<std::uint16_t>(tile + 2 * i));
    if (format == FloatFormat::kBF16) out[c] = float_from_bfloat(load<std::uint16_t>(tile + 2 * i));
  }
}

}  // namespace lfm::kernels
