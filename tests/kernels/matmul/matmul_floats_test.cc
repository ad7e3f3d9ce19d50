// Products with float weights: those of plain loops, and the same bits from every instruction set.
#include "tests/kernels/matmul/matmul_input.h"

namespace lfm::kernels {
namespace {

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
  matmul(weights, tiles, k, rows, out.as<float>().data(), static_cast<std::ptrdiff_t>(tiles * kTileRows));
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
