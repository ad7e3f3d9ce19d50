// The element types that GGUF tensors may have: all that ggml names, so that a file can be checked and shown.
// Which of them are run, kernels/matmul/formats.inc says.
#pragma once

#include <cstdint>
#include <optional>

namespace lfm::format {

// Values are the numbers in the file. Gaps are types that were removed from the format.
enum class TensorType : std::uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ8_1 = 9,
  kQ2_K = 10,
  kQ3_K = 11,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kQ8_K = 15,
  kIQ2_XXS = 16,
  kIQ2_XS = 17,
  kIQ3_XXS = 18,
  kIQ1_S = 19,
  kIQ4_NL = 20,
  kIQ3_S = 21,
  kIQ2_S = 22,
  kIQ4_XS = 23,
  kI8 = 24,
  kI16 = 25,
  kI32 = 26,
  kI64 = 27,
  kF64 = 28,
  kIQ1_M = 29,
  kBF16 = 30,
  kTQ1_0 = 34,
  kTQ2_0 = 35,
  kMXFP4 = 39,
  kNVFP4 = 40,
  kQ1_0 = 41,
};

// The type with this number; none for a number that is unknown or was removed.
std::optional<TensorType> tensor_type(std::uint32_t number) noexcept;

// Such as "Q4_K".
const char* to_string(TensorType type) noexcept;

std::uint64_t block_columns(TensorType type) noexcept;  // elements of a block: 1, 32, 64, 128 or 256
std::uint64_t block_bytes(TensorType type) noexcept;    // bytes of a block in the file

// Bytes of a row; none where the columns aren't whole blocks or the size doesn't fit 64 bits.
std::optional<std::uint64_t> row_bytes(TensorType type, std::uint64_t columns) noexcept;

}  // namespace lfm::format
