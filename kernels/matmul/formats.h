// The formats of weights, as formats.inc lists them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>

namespace lfm::kernels {

// How the codes of a block lie in planes (layout.h); of k4BitTable they are numbers of kNonlinearCodes, and of
// k4BitFloat those of kFloatCodes.
enum class CodeKind : std::uint8_t { k2Bit, k4Bit, k5Bit, k6Bit, k8Bit, k4BitTable, k4BitFloat };

constexpr std::int8_t kNonlinearCodes[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

// Twice the floats of four bits (a sign, two bits of exponent, one of fraction), and 16.
constexpr std::uint8_t kFloatCodes[16] = {16, 17, 18, 19, 20, 22, 24, 28, 16, 15, 14, 13, 12, 10, 8, 4};

// What heads a group of blocks: vectors of a number for each of the 16 rows.
//   pair    two blocks, an fp16 scale each
//   powers  two blocks, a bf16 scale each: powers of two
//   minima  one block, fp16 scale and fp16 minimum
//   super   eight blocks, fp16 d and dmin, u8 sc and m of each block
//   halves  eight blocks, fp16 d, i8 sc of both halves of each block
//   super halves  eight blocks, fp16 d and dmin, u4 sc and m of both halves of each block
enum class ScaleKind : std::uint8_t { kPair, kPowers, kMinima, kSuper, kHalves, kSuperHalves };

enum class BlockFormat : std::uint8_t {
#define LFM_BLOCK_FORMAT(name, ...) k##name,
#include "kernels/matmul/formats.inc"
};

enum class FloatFormat : std::uint8_t {
#define LFM_FLOAT_FORMAT(name, ...) k##name,
#include "kernels/matmul/formats.inc"
};

struct BlockInfo {
  BlockFormat format;
  const char* name;
  std::uint32_t number;  // of the type in GGUF files
  CodeKind codes;
  int zero;  // the code that means 0; of formats with minima 0
  ScaleKind scales;
  std::size_t file_columns;  // of a block of a GGUF file
  std::size_t file_bytes;
};

struct FloatInfo {
  FloatFormat format;
  const char* name;
  std::uint32_t number;
  std::size_t bytes;  // of a weight
};

inline constexpr BlockInfo kBlockFormats[] = {
#define LFM_BLOCK_FORMAT(name, number, codes, zero, scales, columns, bytes) \
  {BlockFormat::k##name, #name, number, CodeKind::codes, zero, ScaleKind::scales, columns, bytes},
#include "kernels/matmul/formats.inc"
};

inline constexpr FloatInfo kFloatFormats[] = {
#define LFM_FLOAT_FORMAT(name, number, bytes) {FloatFormat::k##name, #name, number, bytes},
#include "kernels/matmul/formats.inc"
};

inline constexpr std::size_t kBlockFormatCount = std::size(kBlockFormats);
inline constexpr std::size_t kFloatFormatCount = std::size(kFloatFormats);

constexpr const BlockInfo& info(BlockFormat format) noexcept {
  return kBlockFormats[static_cast<std::size_t>(format)];
}
constexpr const FloatInfo& info(FloatFormat format) noexcept {
  return kFloatFormats[static_cast<std::size_t>(format)];
}

// Where a file's block has its fp16 scale; a minimum follows it.
constexpr std::size_t scale_offset(BlockFormat format) noexcept {
  switch (format) {
    case BlockFormat::kQ2_K:
      return 80;
    case BlockFormat::kQ3_K:
      return 108;
    case BlockFormat::kQ6_K:
      return 208;
    default:
      return 0;
  }
}

// The format of GGUF's type `number`; none where the kernels don't run it, or it is of the other kind.
constexpr std::optional<BlockFormat> block_format(std::uint32_t number) noexcept {
  for (const BlockInfo& row : kBlockFormats) {
    if (row.number == number) return row.format;
  }
  return std::nullopt;
}
constexpr std::optional<FloatFormat> float_format(std::uint32_t number) noexcept {
  for (const FloatInfo& row : kFloatFormats) {
    if (row.number == number) return row.format;
  }
  return std::nullopt;
}

}  // namespace lfm::kernels
