#include "kernels/matmul/matmul.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "base/cpu.h"
#include "kernels/matmul/pack.h"
#include "kernels/table.h"
#include "tests/kernels/evex/evex.h"
#include "tests/support/guarded_buffer.h"

namespace lfm::kernels {
namespace {

using test::Edge;
using test::GuardedBuffer;

bool is_k_format(BlockFormat format) {
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
    visit(&rows[at], std::size_t{format == BlockFormat::kQ6_K ? 208u : 0u});
  }
}

// Rows as a GGUF file has them. extreme: all codes the largest, or for Q8_0 -128, for IQ4_NL -127 and for Q6_K the
// largest or smallest; all 8-bit scales the largest, in Q6_K of either sign.
std::vector<std::byte> random_rows(BlockFormat format, std::size_t rows, std::size_t k, bool extreme, Random& random) {
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
    const std::uint16_t halves[2] = {random.half(), random.half()};
    std::memcpy(block + scale, halves, has_minima(info(format).scales) ? 4 : 2);
  });
  return bytes;
}

// Leaves only the minima of rows.
void zero_scales(BlockFormat format, std::span<std::byte> rows) {
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

Act random_act(std::size_t tokens, std::size_t k, bool extreme, Random& random) {
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
std::unique_ptr<GuardedBuffer> pack(BlockFormat format, const std::vector<std::byte>& rows, std::size_t tiles,
                                    std::size_t k, Edge edge) {
  auto packed = std::make_unique<GuardedBuffer>(tiles * tile_bytes(format, k), edge);
  for (std::size_t i = 0; i < tiles; ++i) {
    pack_tile(format, rows.data() + i * kTileRows * gguf_row_bytes(format, k), kTileRows, k,
              packed->data() + i * tile_bytes(format, k));
  }
  return packed;
}

// The tokens of `act` beside one another, and of what follows them nothing or their rows once more.
std::vector<float> run(MatmulFn matmul, const std::byte* weights, std::size_t tiles, std::size_t k, const Act& act,
                       Edge edge) {
  GuardedBuffer bytes(act.tokens * act_row_bytes(k), edge);
  act.write(bytes.data());
  std::vector<const std::byte*> rows;
  for (std::size_t t = 0; t < (edge == Edge::kEnd ? 2 : 1) * act.tokens; ++t) {
    rows.push_back(bytes.data() + t % act.tokens * act_row_bytes(k));
  }
  GuardedBuffer out(act.tokens * tiles * kTileRows * sizeof(float), edge);
  matmul(weights, tiles, k, rows, act.tokens, out.as<float>().data(), static_cast<std::ptrdiff_t>(tiles * kTileRows));
  return {out.as<float>().begin(), out.as<float>().end()};
}

// Equal bits; a NaN equals any NaN.
testing::AssertionResult same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    if (std::bit_cast<std::uint32_t>(a[i]) != std::bit_cast<std::uint32_t>(b[i])) {
      return testing::AssertionFailure() << "element " << i << " of " << a.size() << ": " << a[i] << " and " << b[i];
    }
  }
  return testing::AssertionSuccess();
}

// A random legal K; an odd multiple of 32 often, where the format allows it.
std::size_t random_k(BlockFormat format, Random& random) {
  return is_k_format(format) ? 256 * (1 + random.below(6)) : 32 * (1 + random.below(45));
}

MatmulFn function(const MatmulKernels& kernels, BlockFormat format) {
  return kernels.blocks[static_cast<std::size_t>(format)];
}

class MatmulScalar : public testing::TestWithParam<BlockInfo> {};

INSTANTIATE_TEST_SUITE_P(Formats, MatmulScalar, testing::ValuesIn(kBlockFormats),
                         [](const auto& test) { return test.param.name; });

// Kernels to be tested, and whether this CPU runs them.
struct Tested {
  std::string name;
  const MatmulKernels* kernels;
  bool runs;
};

std::vector<Tested> all_kernels() {
  std::vector<Tested> all;
  for (const IsaInfo& row : kIsas) all.push_back({row.name, &table(row.isa).matmul, base::cpu_has(row.isa)});
#if defined(LFM_KERNELS_EVEX)
  all.push_back({"avxvnni_evex", &avxvnni_evex::kMatmul, base::cpu_has(Isa::kAvx512Vnni)});
#endif
  return all;
}

class MatmulBlocks : public testing::TestWithParam<std::tuple<Tested, BlockInfo>> {
 protected:
  void SetUp() override {
    if (!std::get<Tested>(GetParam()).runs) GTEST_SKIP() << "this CPU has no " << std::get<Tested>(GetParam()).name;
  }
  const MatmulKernels& kernels() const { return *std::get<Tested>(GetParam()).kernels; }
  BlockFormat format() const { return std::get<BlockInfo>(GetParam()).format; }
  MatmulFn function() const { return kernels::function(kernels(), format()); }
  MatmulFn scalar() const { return kernels::function(scalar::kMatmul, format()); }
  std::size_t random_k(Random& random) const { return kernels::random_k(format(), random); }
};

INSTANTIATE_TEST_SUITE_P(All, MatmulBlocks,
                         testing::Combine(testing::ValuesIn(all_kernels()), testing::ValuesIn(kBlockFormats)),
                         [](const auto& test) {
                           return std::get<Tested>(test.param).name + "_" + std::get<BlockInfo>(test.param).name;
                         });

// Every fma rounds a partial sum that is at most the sum of all magnitudes, those of minima counted apart from those of
// codes; the scale product, scale * sum(q) and the unpacked weight round once more.
TEST_P(MatmulScalar, AgreesWithDoubles) {
  const BlockFormat format = GetParam().format;
  constexpr std::size_t kTiles = 2;
  constexpr std::size_t kRows = kTiles * kTileRows;
  for (std::uint32_t seed = 1; seed <= 6; ++seed) {
    Random random(seed);
    const std::size_t k = random_k(format, random);
    auto rows = random_rows(format, kRows, k, seed == 6, random);
    const auto packed = pack(format, rows, kTiles, k, Edge::kEnd);
    zero_scales(format, rows);
    const auto packed_minima = pack(format, rows, kTiles, k, Edge::kEnd);
    const Act act = random_act(4, k, seed == 6, random);
    const auto out = run(function(scalar::kMatmul, format), packed->data(), kTiles, k, act, Edge::kEnd);
    std::vector<float> weights(k);
    std::vector<float> minima(k);
    for (std::size_t r = 0; r < kRows; ++r) {
      const std::size_t tile = r / kTileRows * tile_bytes(format, k);
      unpack_row(format, packed->data() + tile, r % kTileRows, k, weights.data());
      unpack_row(format, packed_minima->data() + tile, r % kTileRows, k, minima.data());
      for (std::size_t t = 0; t < act.tokens; ++t) {
        double expected = 0;
        double magnitude = 0;
        for (std::size_t c = 0; c < k; ++c) {
          const double x = static_cast<double>(act.scales[(t * k + c) / kBlockColumns]) * act.codes[t * k + c];
          const auto weight = static_cast<double>(weights[c]);
          const auto min = static_cast<double>(minima[c]);
          expected += x * weight;
          magnitude += std::abs(x) * (std::abs(weight - min) + std::abs(min));
        }
        const double roundings = 2 * static_cast<double>(k / kBlockColumns) + 4;
        EXPECT_NEAR(static_cast<double>(out[t * kRows + r]), expected, roundings * 0x1p-24 * magnitude)
            << "row " << r << " token " << t << " k " << k;
      }
    }
  }
}

TEST_P(MatmulBlocks, GivesTheBitsOfScalar) {
  for (std::uint32_t seed = 1; seed <= 30; ++seed) {
    Random random(seed);
    const std::size_t k = random_k(random);
    const std::size_t tiles = 1 + random.below(9);
    const bool extreme = seed % 5 == 0;
    const auto packed =
        pack(format(), random_rows(format(), tiles * kTileRows, k, extreme, random), tiles, k, random.edge());
    const Act act = random_act(1 + seed % kernels().most_tokens, k, extreme && seed % 2 == 0, random);
    const Edge edge = random.edge();
    EXPECT_TRUE(same_bits(run(function(), packed->data(), tiles, k, act, edge),
                          run(scalar(), packed->data(), tiles, k, act, edge)))
        << "tiles " << tiles << " k " << k << " tokens " << act.tokens;
  }
}

// However long the parts are that a kernel reads side by side, and however many: a call gives what calls of a tile
// give.
TEST_P(MatmulBlocks, ManyTilesGiveTheBitsOfEach) {
  constexpr std::size_t kManyTiles = 301;
  const std::size_t k = is_k_format(format()) ? 256 : 96;
  Random random(1);
  const auto packed =
      pack(format(), random_rows(format(), kManyTiles * kTileRows, k, false, random), kManyTiles, k, Edge::kEnd);
  for (std::size_t tokens = 1; tokens <= kernels().most_tokens; ++tokens) {
    const Act act = random_act(tokens, k, false, random);
    const auto all = run(function(), packed->data(), kManyTiles, k, act, Edge::kEnd);
    std::vector<float> each(all.size());
    for (std::size_t tile = 0; tile < kManyTiles; ++tile) {
      const auto out = run(function(), packed->data() + tile * tile_bytes(format(), k), 1, k, act, Edge::kEnd);
      for (std::size_t t = 0; t < tokens; ++t) {
        std::copy_n(out.begin() + static_cast<std::ptrdiff_t>(t * kTileRows), kTileRows,
                    each.begin() + static_cast<std::ptrdiff_t>((t * kManyTiles + tile) * kTileRows));
      }
    }
    EXPECT_TRUE(same_bits(all, each)) << "tokens " << tokens;
  }
}

// One token's strips, of rows of activations of their own or of one: each is what a call for it alone gives.
TEST_P(MatmulBlocks, StripsGiveTheBitsOfEach) {
  constexpr std::size_t kMost = 9;
  constexpr std::size_t kTiles = 3;
  for (std::size_t count = 1; count <= kMost; ++count) {
    for (const bool shared : {false, true}) {
      Random random(static_cast<std::uint32_t>(count));
      const std::size_t k = random_k(random);
      const std::size_t strip_bytes = kTiles * tile_bytes(format(), k);
      const std::size_t strip_rows = kTiles * kTileRows;
      const auto packed =
          pack(format(), random_rows(format(), count * strip_rows, k, false, random), count * kTiles, k, random.edge());
      const Act act = random_act(shared ? 1 : count, k, false, random);
      GuardedBuffer rows(act.tokens * act_row_bytes(k), random.edge());
      act.write(rows.data());
      GuardedBuffer out(count * strip_rows * sizeof(float), random.edge());
      std::vector<Strip> strips;
      std::vector<float> each;
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t row = shared ? 0 : i;
        strips.push_back({packed->data() + i * strip_bytes, rows.data() + row * act_row_bytes(k),
                          out.as<float>().data() + i * strip_rows});
        const auto alone = run(scalar(), strips[i].weights, kTiles, k, act.part(row, 1), Edge::kEnd);
        each.insert(each.end(), alone.begin(), alone.end());
      }
      kernels().strips[static_cast<std::size_t>(format())](strips, kTiles, k);
      EXPECT_TRUE(same_bits({out.as<float>().begin(), out.as<float>().end()}, each))
          << "strips " << count << " shared " << shared << " k " << k;
    }
  }
}

TEST_P(MatmulBlocks, LargestCodesDoNotOverflow) {
  constexpr std::size_t kColumns = 7168;
  Random random(7);
  const auto packed = pack(format(), random_rows(format(), kTileRows, kColumns, true, random), 1, kColumns, Edge::kEnd);
  const Act act = random_act(4, kColumns, true, random);
  const auto out = run(function(), packed->data(), 1, kColumns, act, Edge::kEnd);
  EXPECT_TRUE(same_bits(out, run(scalar(), packed->data(), 1, kColumns, act, Edge::kEnd)));
}

TEST_P(MatmulBlocks, ATokenDoesNotDependOnItsNeighbours) {
  Random random(11);
  const std::size_t k = is_k_format(format()) ? 1280 : 1120;
  constexpr std::size_t kTiles = 3;
  constexpr std::size_t kRows = kTiles * kTileRows;
  const auto packed = pack(format(), random_rows(format(), kRows, k, false, random), kTiles, k, Edge::kEnd);
  const Act all = random_act(kernels().most_tokens, k, false, random);
  const auto whole = run(function(), packed->data(), kTiles, k, all, Edge::kEnd);
  for (std::size_t tokens = 1; tokens < all.tokens; ++tokens) {
    for (std::size_t first = 0; first + tokens <= all.tokens; ++first) {
      const Act part = all.part(first, tokens);
      for (std::size_t i = 0; i < kTiles; ++i) {
        const auto out = run(function(), packed->data() + i * tile_bytes(format(), k), 1, k, part, Edge::kEnd);
        std::vector<float> expected;
        for (std::size_t t = first; t < first + tokens; ++t) {
          const float* row = &whole[t * kRows + i * kTileRows];
          expected.insert(expected.end(), row, row + kTileRows);
        }
        EXPECT_TRUE(same_bits(out, expected)) << "tokens " << tokens << " from " << first << " tile " << i;
      }
    }
  }
}

TEST_P(MatmulBlocks, NanScaleGivesNan) {
  for (std::size_t tokens = 1; tokens <= kernels().most_tokens; ++tokens) {
    Random random(13);
    const auto packed = pack(format(), random_rows(format(), kTileRows, 256, false, random), 1, 256, Edge::kEnd);
    Act act = random_act(tokens, 256, false, random);
    const std::size_t bad = random.below(tokens);
    act.scales[bad * 8 + 3] = std::numeric_limits<float>::quiet_NaN();
    const auto out = run(function(), packed->data(), 1, 256, act, Edge::kEnd);
    for (std::size_t i = 0; i < out.size(); ++i) {
      EXPECT_EQ(std::isnan(out[i]), i / kTileRows == bad) << "tokens " << tokens;
    }
  }
}

class MatmulFloats : public testing::TestWithParam<FloatInfo> {
 protected:
  FloatFormat format() const { return GetParam().format; }
  MatmulFloatFn function(const MatmulKernels& kernels) const {
    return kernels.floats[static_cast<std::size_t>(format())];
  }

  // Rows of finite floats in the format; small, large and subnormal ones among them.
  std::vector<std::byte> random_rows(std::size_t rows, std::size_t k, Random& random) const {
    std::vector<std::byte> bytes(rows * gguf_row_bytes(format(), k));
    for (std::size_t i = 0; i < rows * k; ++i) {
      const auto bits = std::bit_cast<std::uint32_t>(random.below(20) == 0 ? 1e-40f : random.normal());
      const auto bfloat = static_cast<std::uint16_t>(bits >> 16);
      const std::uint16_t half = random.half();
      if (format() == FloatFormat::kF32) std::memcpy(&bytes[4 * i], &bits, 4);
      if (format() == FloatFormat::kF16) std::memcpy(&bytes[2 * i], &half, 2);
      if (format() == FloatFormat::kBF16) std::memcpy(&bytes[2 * i], &bfloat, 2);
    }
    return bytes;
  }
};

INSTANTIATE_TEST_SUITE_P(Formats, MatmulFloats, testing::ValuesIn(kFloatFormats),
                         [](const auto& test) { return test.param.name; });

std::vector<float> run(MatmulFloatFn matmul, const std::byte* weights, std::size_t tiles, std::size_t k,
                       const std::vector<float>& x, std::size_t tokens, Edge edge) {
  GuardedBuffer act(x.size() * sizeof(float), edge);
  std::memcpy(act.data(), x.data(), act.size());
  std::vector<const float*> rows;
  for (std::size_t t = 0; t < tokens; ++t) rows.push_back(act.as<float>().data() + t * k);
  GuardedBuffer out(tokens * tiles * kTileRows * sizeof(float), edge);
  matmul(weights, tiles, k, rows, tokens, out.as<float>().data(), static_cast<std::ptrdiff_t>(tiles * kTileRows));
  return {out.as<float>().begin(), out.as<float>().end()};
}

TEST_P(MatmulFloats, ScalarAgreesWithDoublesAndEveryIsaGivesItsBits) {
  for (std::uint32_t seed = 1; seed <= 26; ++seed) {
    Random random(seed);
    const std::size_t k = 4 * (1 + random.below(80));
    const std::size_t tiles = 1 + random.below(5);
    const std::size_t tokens = 1 + seed % 13;
    const auto rows = random_rows(tiles * kTileRows, k, random);
    GuardedBuffer packed(tiles * tile_bytes(format(), k), random.edge());
    for (std::size_t i = 0; i < tiles; ++i) {
      pack_tile(format(), &rows[i * kTileRows * gguf_row_bytes(format(), k)], kTileRows, k,
                packed.data() + i * tile_bytes(format(), k));
    }
    std::vector<float> x(tokens * k);
    for (float& value : x) value = random.normal();
    const auto out = run(function(scalar::kMatmul), packed.data(), tiles, k, x, tokens, random.edge());
    for (const Tested& tested : all_kernels()) {
      if (!tested.runs) continue;
      EXPECT_TRUE(same_bits(run(function(*tested.kernels), packed.data(), tiles, k, x, tokens, random.edge()), out))
          << tested.name << " tiles " << tiles << " k " << k << " tokens " << tokens;
    }
    std::vector<float> weights(k);
    for (std::size_t r = 0; r < tiles * kTileRows; ++r) {
      unpack_row(format(), packed.data() + r / kTileRows * tile_bytes(format(), k), r % kTileRows, k, weights.data());
      for (std::size_t t = 0; t < tokens; ++t) {
        double expected = 0;
        double magnitude = 0;
        for (std::size_t c = 0; c < k; ++c) {
          const double term = static_cast<double>(weights[c]) * static_cast<double>(x[t * k + c]);
          expected += term;
          magnitude += std::abs(term);
        }
        EXPECT_NEAR(static_cast<double>(out[t * tiles * kTileRows + r]), expected,
                    (static_cast<double>(k) / 4 + 2) * 0x1p-24 * magnitude + 1e-44)
            << "row " << r << " token " << t << " k " << k;
      }
    }
  }
}

}  // namespace
}  // namespace lfm::kernels
