#include "kernels/matmul/pack.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <stdexcept>
#include <vector>

#include "tests/support/guarded_buffer.h"

namespace lfm::kernels {
namespace {

using test::Edge;
using test::GuardedBuffer;

struct Reference {
  std::size_t rows;
  std::size_t k;
  std::vector<std::byte> file;
  std::vector<float> weights;
};

template <class T>
std::vector<T> read(std::istream& in, std::size_t n) {
  std::vector<T> values(n);
  in.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(n * sizeof(T)));
  return values;
}

// block_reference.bin, see make_block_reference.py.
std::map<BlockFormat, Reference> references() {
  std::ifstream in(BLOCK_REFERENCE, std::ios::binary);
  std::map<BlockFormat, Reference> all;
  while (in.peek() != std::ifstream::traits_type::eof() && in.good()) {
    const auto head = read<std::uint32_t>(in, 3);
    const auto format = block_format(head[0]);
    if (!format) throw std::runtime_error("a reference of a type that isn't run");
    Reference reference{head[1], head[2], {}, {}};
    reference.file = read<std::byte>(in, reference.rows * gguf_row_bytes(*format, reference.k));
    reference.weights = read<float>(in, reference.rows * reference.k);
    all.emplace(*format, std::move(reference));
  }
  return all;
}

class PackBlocks : public testing::TestWithParam<BlockInfo> {
 protected:
  BlockFormat format() const { return GetParam().format; }
  Reference reference() const { return references().at(format()); }
};

INSTANTIATE_TEST_SUITE_P(Formats, PackBlocks, testing::ValuesIn(kBlockFormats),
                         [](const auto& test) { return test.param.name; });

TEST_P(PackBlocks, WeightsAreThoseOfTheReference) {
  const Reference reference = this->reference();
  for (const Edge edge : {Edge::kStart, Edge::kEnd}) {
    GuardedBuffer source(reference.file.size(), edge);
    std::memcpy(source.data(), reference.file.data(), reference.file.size());
    GuardedBuffer tile(tile_bytes(format(), reference.k), edge);
    ASSERT_EQ(pack_tile(format(), source.data(), reference.rows, reference.k, tile.data()), -1);
    GuardedBuffer row(reference.k * sizeof(float), edge);
    for (std::size_t r = 0; r < kTileRows; ++r) {
      unpack_row(format(), tile.data(), r, reference.k, row.as<float>().data());
      for (std::size_t c = 0; c < reference.k; ++c) {
        const float expected = r < reference.rows ? reference.weights[r * reference.k + c] : 0.0f;
        ASSERT_EQ(row.as<float>()[c], expected) << "row " << r << " column " << c;
      }
    }
  }
}

TEST_P(PackBlocks, EveryByteIsWrittenAndTheSameEachTime) {
  const Reference reference = this->reference();
  std::vector<std::byte> zeros(tile_bytes(format(), reference.k), std::byte{0});
  std::vector<std::byte> ones(zeros.size(), std::byte{0xff});
  pack_tile(format(), reference.file.data(), reference.rows, reference.k, zeros.data());
  pack_tile(format(), reference.file.data(), reference.rows, reference.k, ones.data());
  EXPECT_EQ(zeros, ones);
}

TEST_P(PackBlocks, ReportsTheFirstBlockThatIsNotFinite) {
  Reference reference = this->reference();
  const std::size_t columns = info(format()).file_columns;
  const std::size_t blocks = reference.rows * reference.k / columns;
  const std::size_t block_bytes = reference.file.size() / blocks;
  const std::size_t scale = scale_offset(format());
  std::vector<std::byte> tile(tile_bytes(format(), reference.k));
  const bool power = GetParam().scales == ScaleKind::kPowers;  // of which only one isn't finite
  const std::uint16_t infinity = power ? 0xff : 0xfc00;
  const std::uint16_t nan = power ? 0xff : 0x7c01;
  std::memcpy(&reference.file[(blocks - 1) * block_bytes + scale], &infinity, sizeof(infinity));
  EXPECT_EQ(pack_tile(format(), reference.file.data(), reference.rows, reference.k, tile.data()),
            static_cast<std::ptrdiff_t>(blocks - 1));
  std::memcpy(&reference.file[(blocks - 2) * block_bytes + scale], &nan, sizeof(nan));
  EXPECT_EQ(pack_tile(format(), reference.file.data(), reference.rows, reference.k, tile.data()),
            static_cast<std::ptrdiff_t>(blocks - 2));
}

TEST(PackBlocks, ReportsAMinimumThatIsNotFinite) {
  for (const BlockInfo& row : kBlockFormats) {
    if (!has_minima(row.scales)) continue;
    const BlockFormat format = row.format;
    std::vector<std::byte> file(2 * gguf_row_bytes(format, 256));
    const std::uint16_t infinity = 0x7c00;
    std::memcpy(&file[gguf_row_bytes(format, 256) + scale_offset(format) + 2], &infinity, sizeof(infinity));
    std::vector<std::byte> tile(tile_bytes(format, 256));
    EXPECT_EQ(pack_tile(format, file.data(), 2, 256, tile.data()), static_cast<std::ptrdiff_t>(256 / row.file_columns));
  }
}

// The value of an fp16 number, from its definition.
double half_value(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const double fraction = bits & 1023;
  const double sign = bits >> 15 != 0 ? -1 : 1;
  if (exponent == 31) return fraction == 0 ? sign * HUGE_VAL : std::numeric_limits<double>::quiet_NaN();
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

TEST(PackFloats, EveryHalfKeepsItsValue) {
  constexpr std::size_t kColumns = 65536 / kTileRows;
  std::vector<std::uint16_t> source(65536);
  for (std::size_t i = 0; i < source.size(); ++i) source[i] = static_cast<std::uint16_t>(i);
  std::vector<std::byte> tile(tile_bytes(FloatFormat::kF16, kColumns));
  EXPECT_EQ(
      pack_tile(FloatFormat::kF16, reinterpret_cast<const std::byte*>(source.data()), kTileRows, kColumns, tile.data()),
      0x7c00);
  std::vector<float> row(kColumns);
  for (std::size_t r = 0; r < kTileRows; ++r) {
    unpack_row(FloatFormat::kF16, tile.data(), r, kColumns, row.data());
    for (std::size_t c = 0; c < kColumns; ++c) {
      const double expected = half_value(static_cast<std::uint16_t>(r * kColumns + c));
      if (std::isnan(expected)) {
        ASSERT_TRUE(std::isnan(row[c]));
      } else {
        ASSERT_EQ(static_cast<double>(row[c]), expected);
        ASSERT_EQ(std::signbit(row[c]), std::signbit(expected));
      }
    }
  }
}

TEST(PackFloats, RowsComeBack) {
  constexpr std::size_t kRows = 3;
  constexpr std::size_t kColumns = 20;
  std::vector<float> weights(kRows * kColumns);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i) - 17;
  std::vector<std::uint16_t> bfloats(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    std::uint32_t bits;
    std::memcpy(&bits, &weights[i], sizeof(bits));
    bfloats[i] = static_cast<std::uint16_t>(bits >> 16);  // exact: whole numbers of fewer than 8 bits
  }
  for (const FloatFormat format : {FloatFormat::kF32, FloatFormat::kBF16}) {
    const auto* source = format == FloatFormat::kF32 ? reinterpret_cast<const std::byte*>(weights.data())
                                                     : reinterpret_cast<const std::byte*>(bfloats.data());
    for (const Edge edge : {Edge::kStart, Edge::kEnd}) {
      GuardedBuffer tile(tile_bytes(format, kColumns), edge);
      ASSERT_EQ(pack_tile(format, source, kRows, kColumns, tile.data()), -1);
      GuardedBuffer row(kColumns * sizeof(float), edge);
      for (std::size_t r = 0; r < kTileRows; ++r) {
        unpack_row(format, tile.data(), r, kColumns, row.as<float>().data());
        for (std::size_t c = 0; c < kColumns; ++c) {
          ASSERT_EQ(row.as<float>()[c], r < kRows ? weights[r * kColumns + c] : 0.0f);
        }
      }
    }
  }
  weights[kColumns + 1] = std::numeric_limits<float>::infinity();
  std::vector<std::byte> tile(tile_bytes(FloatFormat::kF32, kColumns));
  EXPECT_EQ(
      pack_tile(FloatFormat::kF32, reinterpret_cast<const std::byte*>(weights.data()), kRows, kColumns, tile.data()),
      static_cast<std::ptrdiff_t>(kColumns + 1));
}

}  // namespace
}  // namespace lfm::kernels
