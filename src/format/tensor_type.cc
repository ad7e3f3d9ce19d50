#include "format/tensor_type.h"

#include <array>
#include <cstddef>

#include "base/checked.h"

namespace lfm::format {
namespace {

struct Row {
  const char* name;  // null: a number that no type has
  std::uint16_t columns;
  std::uint16_t bytes;
};

constexpr Row kRemoved = {nullptr, 0, 0};

// By number in the file.
constexpr std::array<Row, 42> kTable = {{
    {"F32", 1, 4},
    {"F16", 1, 2},
    {"Q4_0", 32, 18},
    {"Q4_1", 32, 20},
    kRemoved,
    kRemoved,
    {"Q5_0", 32, 22},
    {"Q5_1", 32, 24},
    {"Q8_0", 32, 34},
    {"Q8_1", 32, 36},
    {"Q2_K", 256, 84},
    {"Q3_K", 256, 110},
    {"Q4_K", 256, 144},
    {"Q5_K", 256, 176},
    {"Q6_K", 256, 210},
    {"Q8_K", 256, 292},
    {"IQ2_XXS", 256, 66},
    {"IQ2_XS", 256, 74},
    {"IQ3_XXS", 256, 98},
    {"IQ1_S", 256, 50},
    {"IQ4_NL", 32, 18},
    {"IQ3_S", 256, 110},
    {"IQ2_S", 256, 82},
    {"IQ4_XS", 256, 136},
    {"I8", 1, 1},
    {"I16", 1, 2},
    {"I32", 1, 4},
    {"I64", 1, 8},
    {"F64", 1, 8},
    {"IQ1_M", 256, 56},
    {"BF16", 1, 2},
    kRemoved,
    kRemoved,
    kRemoved,
    {"TQ1_0", 256, 54},
    {"TQ2_0", 256, 66},
    kRemoved,
    kRemoved,
    kRemoved,
    {"MXFP4", 32, 17},
    {"NVFP4", 64, 36},
    {"Q1_0", 128, 18},
}};

const Row& row(TensorType type) noexcept {
  return kTable[static_cast<std::size_t>(type)];
}

}  // namespace

std::optional<TensorType> tensor_type(std::uint32_t number) noexcept {
  if (number >= kTable.size() || kTable[number].name == nullptr) return std::nullopt;
  return static_cast<TensorType>(number);
}

const char* to_string(TensorType type) noexcept {
  return row(type).name;
}

std::uint64_t block_columns(TensorType type) noexcept {
  return row(type).columns;
}

std::uint64_t block_bytes(TensorType type) noexcept {
  return row(type).bytes;
}

std::optional<std::uint64_t> row_bytes(TensorType type, std::uint64_t columns) noexcept {
  if (columns % block_columns(type) != 0) return std::nullopt;
  return base::checked_mul(columns / block_columns(type), block_bytes(type));
}

}  // namespace lfm::format
