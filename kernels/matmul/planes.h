// Portable access to the code planes of layout.h and to the number formats around them: for packing and for the scalar
// kernels. Everything has internal linkage, so that no ISA's object shares a function with another's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/matmul/layout.h"

namespace lfm::kernels {
namespace {

template <class T>
T load(const std::byte* p) noexcept {
  T value;
  std::memcpy(&value, p, sizeof(T));
  return value;
}

template <class T>
void store(std::byte* p, T value) noexcept {
  std::memcpy(p, &value, sizeof(T));
}

inline float float_from_bits(std::uint32_t bits) noexcept {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// Exact, as F16C converts (NaN stays NaN).
inline float float_from_half(std::uint16_t half) noexcept {
  const std::uint32_t sign = (half & 0x8000u) << 16;
  const std::uint32_t magnitude = half & 0x7fffu;
  if (magnitude >= 0x7c00) return float_from_bits(sign | 0x7f800000 | (magnitude & 0x3ff) << 13);
  if (magnitude < 0x400) {  // zero or subnormal: magnitude * 2^-24
    const float value = static_cast<float>(magnitude) * 0x1p-24f;
    return sign != 0 ? -value : value;
  }
  return float_from_bits(sign | (magnitude + (112 << 10)) << 13);  // the bias grows from 15 to 127
}

inline float float_from_bfloat(std::uint16_t bits) noexcept {
  return float_from_bits(static_cast<std::uint32_t>(bits) << 16);
}

constexpr std::size_t kLine = 64;  // a line of a plane: 4 bytes of each of the 16 rows

// The codes of 32 columns, four neighbours a word, a byte each.
using CodeWords = std::uint32_t[kBlockColumns / 4];

// Writes the codes of row r of a block into its planes.
template <CodeKind kKind>
void write_codes(const CodeWords& words, std::byte* planes, std::size_t r) noexcept {
  std::byte* row = planes + 4 * r;
  if constexpr (kKind == CodeKind::k2Bit) {
    for (std::size_t h = 0; h < 2; ++h) {
      std::uint32_t line = 0;
      for (std::size_t i = 0; i < 4; ++i) line |= words[4 * h + i] << 2 * i;
      store(row + kLine * h, line);
    }
    return;
  }
  if constexpr (kKind == CodeKind::k8Bit) {
    for (std::size_t l = 0; l < 8; ++l) store(row + kLine * l, words[l]);
    return;
  }
  for (std::size_t l = 0; l < 4; ++l) {
    store(row + kLine * l, (words[l] & 0x0f0f0f0fu) | (words[l + 4] & 0x0f0f0f0fu) << 4);
  }
  if constexpr (kKind == CodeKind::k5Bit) {
    std::uint32_t fifth = 0;
    for (std::size_t i = 0; i < 8; ++i) fifth |= (words[i] >> 4 & 0x01010101u) << i;
    store(row + kLine * 4, fifth);
  }
  if constexpr (kKind == CodeKind::k6Bit) {
    for (std::size_t h = 0; h < 2; ++h) {
      std::uint32_t top = 0;
      for (std::size_t i = 0; i < 4; ++i) top |= (words[4 * h + i] >> 4 & 0x03030303u) << 2 * i;
      store(row + kLine * (4 + h), top);
    }
  }
}

template <CodeKind kKind>
void read_codes(const std::byte* planes, std::size_t r, std::uint8_t (&codes)[kBlockColumns]) noexcept {
  CodeWords words;
  const std::byte* row = planes + 4 * r;
  for (std::size_t l = 0; l < 4; ++l) {
    if constexpr (kKind == CodeKind::k2Bit) {
      for (std::size_t h = 0; h < 2; ++h)
        words[4 * h + l] = load<std::uint32_t>(row + kLine * h) >> 2 * l & 0x03030303u;
      continue;
    }
    const auto line = load<std::uint32_t>(row + kLine * l);
    if constexpr (kKind == CodeKind::k8Bit) {
      words[l] = line;
      words[l + 4] = load<std::uint32_t>(row + kLine * (l + 4));
    } else {
      words[l] = line & 0x0f0f0f0fu;
      words[l + 4] = line >> 4 & 0x0f0f0f0fu;
    }
  }
  if constexpr (kKind == CodeKind::k5Bit) {
    const auto fifth = load<std::uint32_t>(row + kLine * 4);
    for (std::size_t i = 0; i < 8; ++i) words[i] |= (fifth >> i & 0x01010101u) << 4;
  }
  if constexpr (kKind == CodeKind::k6Bit) {
    for (std::size_t i = 0; i < 8; ++i) {
      const auto top = load<std::uint32_t>(row + kLine * (4 + i / 4));
      words[i] |= (top >> 2 * (i % 4) & 0x03030303u) << 4;
    }
  }
  std::memcpy(codes, words, sizeof(words));
  if constexpr (kKind == CodeKind::k4BitTable) {
    for (std::uint8_t& code : codes) code = static_cast<std::uint8_t>(kNonlinearCodes[code] + 128);
  }
  if constexpr (kKind == CodeKind::k4BitFloat) {
    for (std::uint8_t& code : codes) code = kFloatCodes[code];
  }
}

// The scales of row r of a block: a weight of column c is  scale * step[c / 16] * (code - zero) + offset[c / 16].
struct RowScale {
  float scale;
  int step[2];  // 1 but where halves have their own
  float offset[2];
};

template <ScaleKind kKind>
RowScale row_scale(const std::byte* group, std::size_t b, std::size_t r) noexcept {
  const auto half = [group, r](std::size_t vector) {
    return float_from_half(load<std::uint16_t>(group + 32 * vector + 2 * r));
  };
  const std::byte* small = group + kLine + 32 * b + r;  // the 8-bit scales of the block, where there are such
  if constexpr (kKind == ScaleKind::kPair) return {half(b), {1, 1}, {}};
  if constexpr (kKind == ScaleKind::kPowers) {
    return {float_from_bfloat(load<std::uint16_t>(group + 32 * b + 2 * r)), {1, 1}, {}};
  }
  if constexpr (kKind == ScaleKind::kMinima) return {half(0), {1, 1}, {half(1), half(1)}};
  if constexpr (kKind == ScaleKind::kSuper) {
    const float offset = -(half(1) * load<std::uint8_t>(small + 16));
    return {half(0) * load<std::uint8_t>(small), {1, 1}, {offset, offset}};
  }
  if constexpr (kKind == ScaleKind::kHalves) {
    return {half(0), {load<std::int8_t>(small), load<std::int8_t>(small + 16)}, {}};
  }
  if constexpr (kKind == ScaleKind::kSuperHalves) {
    const std::uint8_t pairs[] = {load<std::uint8_t>(small), load<std::uint8_t>(small + 16)};
    const auto offset = [&](int i) { return -(half(1) * static_cast<float>(pairs[i] >> 4)); };
    return {half(0), {pairs[0] & 15, pairs[1] & 15}, {offset(0), offset(1)}};
  }
}

}  // namespace
}  // namespace lfm::kernels
