// Products with weights in codes: those of plain loops, and the same bits from every instruction set.
#include <algorithm>
#include <limits>
#include <tuple>

#include "tests/kernels/matmul/matmul_input.h"

namespace lfm::kernels {
namespace {

class MatmulScalar : public testing::TestWithParam<BlockInfo> {};

INSTANTIATE_TEST_SUITE_P(Formats, MatmulScalar, testing::ValuesIn(kBlockFormats),
                         [](const auto& test) { return test.param.name; });

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
  // Few one by one, and some of many.
  std::vector<std::size_t> numbers_of_tokens() const {
    std::vector<std::size_t> numbers;
    for (std::size_t tokens = 1; tokens < std::min<std::size_t>(kernels().most_tokens, 10); ++tokens)
      numbers.push_back(tokens);
    for (const std::size_t tokens : {13u, 23u, 24u, 38u, 61u}) {
      if (tokens < kernels().most_tokens) numbers.push_back(tokens);
    }
    numbers.push_back(kernels().most_tokens);
    return numbers;
  }
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
  const auto numbers = numbers_of_tokens();
  for (std::uint32_t seed = 1; seed <= 40; ++seed) {
    Random random(seed);
    const std::size_t k = random_k(random);
    const std::size_t tiles = 1 + random.below(9);
    const bool extreme = seed % 5 == 0;
    const auto packed =
        pack(format(), random_rows(format(), tiles * kTileRows, k, extreme, random), tiles, k, random.edge());
    const Act act = random_act(numbers[seed % numbers.size()], k, extreme && seed % 2 == 0, random);
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
  for (const std::size_t tokens : numbers_of_tokens()) {
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
      kernels().blocks[static_cast<std::size_t>(format())]->strips(strips, kTiles, k);
      EXPECT_TRUE(same_bits({out.as<float>().begin(), out.as<float>().end()}, each))
          << "strips " << count << " shared " << shared << " k " << k;
    }
  }
}

TEST_P(MatmulBlocks, LargestCodesDoNotOverflow) {
  constexpr std::size_t kColumns = 7168, kTiles = 2;
  Random random(7);
  const auto packed =
      pack(format(), random_rows(format(), kTiles * kTileRows, kColumns, true, random), kTiles, kColumns, Edge::kEnd);
  for (const std::size_t tokens : {4u, 13u, 25u}) {
    const Act act = random_act(std::min<std::size_t>(tokens, kernels().most_tokens), kColumns, true, random);
    const auto out = run(function(), packed->data(), kTiles, kColumns, act, Edge::kEnd);
    EXPECT_TRUE(same_bits(out, run(scalar(), packed->data(), kTiles, kColumns, act, Edge::kEnd)));
  }
}

TEST_P(MatmulBlocks, ATokenDoesNotDependOnItsNeighbours) {
  Random random(11);
  const std::size_t k = is_k_format(format()) ? 1280 : 1120;
  constexpr std::size_t kTiles = 3;
  constexpr std::size_t kRows = kTiles * kTileRows;
  const auto packed = pack(format(), random_rows(format(), kRows, k, false, random), kTiles, k, Edge::kEnd);
  const Act all = random_act(kernels().most_tokens, k, false, random);
  const auto whole = run(function(), packed->data(), kTiles, k, all, Edge::kEnd);
  for (const std::size_t tokens : numbers_of_tokens()) {
    for (const std::size_t first : {std::size_t{0}, (all.tokens - tokens) / 2, all.tokens - tokens}) {
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
  for (const std::size_t tokens : numbers_of_tokens()) {
    Random random(13);
    constexpr std::size_t kTiles = 2;
    const auto packed =
        pack(format(), random_rows(format(), kTiles * kTileRows, 256, false, random), kTiles, 256, Edge::kEnd);
    Act act = random_act(tokens, 256, false, random);
    const std::size_t bad = random.below(tokens);
    act.scales[bad * 8 + 3] = std::numeric_limits<float>::quiet_NaN();
    const auto out = run(function(), packed->data(), kTiles, 256, act, Edge::kEnd);
    for (std::size_t i = 0; i < out.size(); ++i) {
      EXPECT_EQ(std::isnan(out[i]), i / (kTiles * kTileRows) == bad) << "tokens " << tokens;
    }
  }
}

}  // namespace
}  // namespace lfm::kernels
