// What tests of matmul multiply: random rows of files and of activations, and the kernels that there are.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "kernels/matmul/matmul.h"
#include "kernels/matmul/pack.h"
#include "kernels/table.h"
#include "tests/kernels/evex/evex.h"
#include "tests/support/guarded_buffer.h"

namespace lfm::kernels {

using test::Edge;
using test::GuardedBuffer;

inline bool is_k_format(BlockFormat format) {
  return info(format).file_columns == 256;
}

// Draws numbers; the seed is printed where a test fails.
class Random {
 public:
  explicit Random(std::uint32_t seed) : trace_(__FILE__, __LINE__, "seed " + std::to_string(seed)), engine_(seed) {}

  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(engine_); }
  float normal() { return std::normal_distribution<float>()(engine_); }
  Edge edge() { return below(2) == 0 ? Edge::kStart : Edge::kEnd; }

  // A finite fp16 number of either sign; zero, subnormal or the largest now and then.
  std::uint16_t half() {
    const std::size_t kind = below(16);
    const auto sign = static_cast<std::uint16_t>(below(2) << 15);
    if (kind == 0) return sign;
    if (kind == 1) return static_cast<std::uint16_t>(sign | below(1024));
    if (kind == 2) return sign | 0x7bff;
    return static_cast<std::uint16_t>(sign | (10 + below(8)) << 10 | below(1024));
  }

  void fill(std::span<std::byte> bytes) {
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(engine_());
  }

 private:
  testing::ScopedTrace trace_;
  std::mt19937 engine_;
};

// Calls visit(block, scale) for each block of a file's rows; its fp16 scale begins at byte `scale` of the block.
template <class Visit>
void for_each_block(BlockFormat format, std::span<std::byte> rows, Visit visit) {
  const std::size_t block_bytes = info(format).file_bytes;
  for (std::size_t at = 0; at < rows.size(); at += block_bytes) {
    visit(&rows[at], scale_offset(format));
  }
}

// Rows as a GGUF file has them. extreme: all codes the largest, or for Q8_0 -128, for IQ4_NL -127 and for Q6_K the
// largest or smallest; all 8-bit scales the largest, in Q6_K of either sign.
inline std::vector<std::byte> random_rows(BlockFormat format, std::size_t rows, std::size_t k, bool extreme,
                                          Random& random) {
  std::vector<std::byte> bytes(rows * gguf_row_bytes(format, k));
  if (extreme) {
    const CodeKind codes = info(format).codes;
    std::memset(bytes.data(), codes == CodeKind::k8Bit ? 0x80 : codes == CodeKind::k4BitTable ? 0 : 0xff, bytes.size());
  } else {
    random.fill(bytes);
  }
  for_each_block(format, bytes, [&](std::byte* block, std::size_t scale) {
    if (extreme && format == BlockFormat::kQ6_K) {
      if (random.below(2) == 0) std::memset(block, 0, 192);
      std::memset(block + 192, random.below(2) == 0 ? 0x80 : 0x7f, 16);
    }
    if (info(format).scales == ScaleKind::kPowers) {
      *block = static_cast<std::byte>(118 + random.below(16));
      return;
    }
    const std::uint16_t halves[2] = {random.half(), random.half()};
    std::memcpy(block + scale, halves, has_minima(info(format).scales) ? 4 : 2);
  });
  return bytes;
}

// Leaves only the minima of rows.
inline void zero_scales(BlockFormat format, std::span<std::byte> rows) {
  for_each_block(format, rows, [](std::byte* block, std::size_t scale) { std::memset(block + scale, 0, 2); });
}

// Rows of activations (layout.h) with given codes and scales.
struct Act {
  std::size_t tokens;
  std::size_t k;
  std::vector<std::int8_t> codes;  // (tokens, k)
  std::vector<float> scales;       // (tokens, k / 32)

  void write(std::byte* rows) const {
    for (std::size_t t = 0; t < tokens; ++t) {
      for (std::size_t b = 0; b < k / kBlockColumns; ++b) {
        std::byte* block = rows + t * act_row_bytes(k) + b * kActBlockBytes;
        const std::int8_t* q = &codes[t * k + b * kBlockColumns];
        std::int32_t low = 0;
        std::int32_t sum = 0;
        for (std::size_t i = 0; i < kBlockColumns; ++i) {
          sum += q[i];
          if (i < 16) low += q[i];
        }
        const float scale = scales[t * (k / kBlockColumns) + b];
        const auto put = [&](std::size_t word, auto value) {
          std::memcpy(block + kBlockColumns + 4 * word, &value, sizeof(value));
        };
        std::memcpy(block, q, kBlockColumns);
        put(0, scale);
        put(1, -8 * sum);
        put(2, -8 * low);
        put(3, scale * static_cast<float>(sum));
      }
    }
  }

  // The tokens [first, first + n).
  Act part(std::size_t first, std::size_t n) const {
    const auto slice = [&](const auto& v, std::size_t row) {
      using Iterator = typename std::decay_t<decltype(v)>::difference_type;
      return std::decay_t<decltype(v)>(v.begin() + static_cast<Iterator>(first * row),
                                       v.begin() + static_cast<Iterator>((first + n) * row));
    };
    return {n, k, slice(codes, k), slice(scales, k / kBlockColumns)};
  }
};

inline Act random_act(std::size_t tokens, std::size_t k, bool extreme, Random& random) {
  Act act{tokens, k, std::vector<std::int8_t>(tokens * k), std::vector<float>(tokens * k / kBlockColumns)};
  for (std::size_t t = 0; t < tokens; ++t) {
    const std::int8_t sign = random.below(2) == 0 ? 1 : -1;
    for (std::size_t i = 0; i < k; ++i) {
      act.codes[t * k + i] = extreme ? static_cast<std::int8_t>(127 * sign)
                                     : static_cast<std::int8_t>(static_cast<int>(random.below(255)) - 127);
    }
  }
  for (float& scale : act.scales) scale = random.below(16) == 0 ? 0.0f : std::abs(random.normal());
  return act;
}

// Packs rows into tiles at an edge of a guarded buffer.
inline std::unique_ptr<GuardedBuffer> pack(BlockFormat format, const std::vector<std::byte>& rows, std::size_t tiles,
                                           std::size_t k, Edge edge) {
  auto packed = std::make_unique<GuardedBuffer>(tiles * tile_bytes(format, k), edge);
  for (std::size_t i = 0; i < tiles; ++i) {
    pack_tile(format, rows.data() + i * kTileRows * gguf_row_bytes(format, k), kTileRows, k,
              packed->data() + i * tile_bytes(format, k));
  }
  return packed;
}

// The tokens of `act`, whose rows lie beside one another. Nothing is written between those of the product.
inline std::vector<float> run(MatmulFn matmul, const std::byte* weights, std::size_t tiles, std::size_t k,
                              const Act& act, Edge edge) {
  GuardedBuffer bytes(act.tokens * act_row_bytes(k), edge);
  act.write(bytes.data());
  std::vector<const std::byte*> rows;
  for (std::size_t t = 0; t < act.tokens; ++t) rows.push_back(bytes.data() + t * act_row_bytes(k));
  const std::size_t width = tiles * kTileRows;
  constexpr float kUntouched = 12345.0f;
  const std::size_t stride = width + 3;  // what lies between the rows is nobody's
  GuardedBuffer out(((act.tokens - 1) * stride + width) * sizeof(float), edge);
  std::ranges::fill(out.as<float>(), kUntouched);
  matmul(weights, tiles, k, rows, out.as<float>().data(), static_cast<std::ptrdiff_t>(stride));
  std::vector<float> result;
  for (std::size_t t = 0; t < act.tokens; ++t) {
    const auto row = out.as<float>().subspan(t * stride);
    result.insert(result.end(), row.begin(), row.begin() + static_cast<std::ptrdiff_t>(width));
    for (std::size_t i = width; i < std::min(stride, row.size()); ++i) EXPECT_EQ(row[i], kUntouched);
  }
  return result;
}

// Equal bits; a NaN equals any NaN.
inline testing::AssertionResult same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    if (std::bit_cast<std::uint32_t>(a[i]) != std::bit_cast<std::uint32_t>(b[i])) {
      return testing::AssertionFailure() << "element " << i << " of " << a.size() << ": " << a[i] << " and " << b[i];
    }
  }
  return testing::AssertionSuccess();
}

// A random legal K; an odd multiple of 32 often, where the format allows it.
inline std::size_t random_k(BlockFormat format, Random& random) {
  return is_k_format(format) ? 256 * (1 + random.below(6)) : 32 * (1 + random.below(45));
}

inline MatmulFn function(const MatmulKernels& kernels, BlockFormat format) {
  return kernels.blocks[static_cast<std::size_t>(format)]->tiles;
}

// Kernels to be tested, and whether this CPU runs them.
struct Tested {
  std::string name;
  const MatmulKernels* kernels;
  bool runs;
};

inline std::vector<Tested> all_kernels() {
  std::vector<Tested> all;
  for (const IsaInfo& row : kIsas) all.push_back({row.name, &table(row.isa).matmul, base::cpu_has(row.isa)});
#if defined(LFM_KERNELS_EVEX)
  all.push_back({"avxvnni_evex", &avxvnni_evex::kMatmul, base::cpu_has(Isa::kAvx512Vnni)});
#endif
  return all;
}

}  // namespace lfm::kernels
