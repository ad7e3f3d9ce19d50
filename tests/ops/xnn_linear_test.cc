#include "ops/xnn_linear.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <ostream>
#include <random>
#include <vector>

#include "base/memory.h"
#include "tests/support/guarded_buffer.h"

namespace lfm::ops {
namespace {

constexpr std::size_t kBlockBytes = 18;

const Result<XnnLayout>& found() {
  static const Result<XnnLayout> result = find_xnn_layout();
  return result;
}

XnnLayout layout() {
  return found().ok() ? *found() : XnnLayout{16, 8};
}

// A CPU for which XNNPACK has no kernels that can be used runs without it, and so do its tests.
class XnnWorkerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!found().ok()) {
      ASSERT_EQ(found().error().code, ErrorCode::kUnsupported);
      GTEST_SKIP() << found().error().message;
    }
  }
};

unsigned draw(std::mt19937& random) {
  return static_cast<unsigned>(random());
}

float half_to_float(std::uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const float mantissa = static_cast<float>(half & 0x3ff);
  const float magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(mantissa + 1024.0f, exponent - 25);
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

float round_to_bfloat16(float value) {
  if (value == 0.0f) return value;
  int exponent;
  const float fraction = std::frexp(value, &exponent);
  return std::ldexp(std::nearbyint(std::ldexp(fraction, 8)), exponent - 8);
}

// A Q4_0 matrix as in a file, with scales of both signs, zeros and denormals among them, packed; and its weights.
struct Matrix {
  std::size_t rows, k;
  std::vector<std::byte> gguf;
  std::vector<float> weights;
  base::Memory packed;

  XnnMatrix view() const { return {packed.data(), rows, k}; }

  Matrix(std::size_t n, std::size_t columns, std::mt19937& random) : rows(n), k(columns) {
    const std::size_t blocks = k / 32;
    gguf.resize(rows * blocks * kBlockBytes);
    weights.resize(rows * k);
    for (std::size_t b = 0; b < rows * blocks; ++b) {
      std::byte* const block = gguf.data() + b * kBlockBytes;
      const unsigned kind = draw(random) % 20;
      const unsigned magnitude = kind == 0 ? 0 : kind == 1 ? draw(random) % 0x400 : 0x1c00 + draw(random) % 0x1000;
      const auto half = static_cast<std::uint16_t>((draw(random) & 0x8000) | magnitude);
      std::memcpy(block, &half, 2);
      const float scale = round_to_bfloat16(half_to_float(half));
      for (std::size_t i = 0; i < 16; ++i) {
        const unsigned codes = draw(random) & 0xff;
        block[2 + i] = static_cast<std::byte>(codes);
        weights[b * 32 + i] = scale * static_cast<float>(static_cast<int>(codes & 15) - 8);
        weights[b * 32 + 16 + i] = scale * static_cast<float>(static_cast<int>(codes >> 4) - 8);
      }
    }
    auto memory = base::Memory::allocate(layout().matrix_bytes(rows, k));
    packed = std::move(*memory);
    EXPECT_EQ(xnn_pack_q4_0(layout(), gguf.data(), rows, k, packed.data()), -1);
  }
};

struct Tokens {
  std::size_t count;
  std::vector<std::int8_t> q;
  std::vector<XnnRowParams> params;

  Tokens(std::size_t n, std::size_t k, std::mt19937& random) : count(n), q(n * k + kXnnExtraBytes), params(n) {
    for (auto& value : q) value = static_cast<std::int8_t>(static_cast<int>(draw(random) % 256) - 128);
    for (auto& value : params) {
      value = {static_cast<int>(draw(random) % 256) - 128, 0.001f * static_cast<float>(1 + draw(random) % 100)};
    }
  }
};

XnnWorker worker_for(std::size_t k, std::size_t rows, std::size_t stride, std::size_t tokens) {
  auto worker = XnnWorker::create(layout());
  EXPECT_TRUE(worker.ok());
  const Status status = worker->prepare(k, rows, stride, tokens);
  EXPECT_TRUE(status.ok()) << status.error().describe();
  return std::move(*worker);
}

struct Shape {
  std::size_t rows, k;
};

void PrintTo(const Shape& shape, std::ostream* out) {
  *out << shape.rows << "x" << shape.k;
}

class XnnLinear : public XnnWorkerTest, public testing::WithParamInterface<Shape> {};

TEST_P(XnnLinear, AgreesWithReferenceAndNotWithTheNumberOfTokens) {
  const auto [rows, k] = GetParam();
  std::mt19937 random(static_cast<unsigned>(rows * 10007 + k));
  const Matrix matrix(rows, k, random);
  const std::size_t stride = rows + 5;
  const Tokens tokens(64, k, random);
  XnnWorker worker = worker_for(k, rows, stride, tokens.count);

  std::vector<float> one(tokens.count * stride, -7.0f);
  for (std::size_t t = 0; t < tokens.count; ++t) {
    ASSERT_TRUE(
        worker.run(matrix.view(), 0, rows, 1, tokens.q.data() + t * k, &tokens.params[t], &one[t * stride], stride)
            .ok());
  }
  for (std::size_t t = 0; t < tokens.count; ++t) {
    const XnnRowParams p = tokens.params[t];
    for (std::size_t r = 0; r < rows; ++r) {
      double sum = 0, size = 0;
      for (std::size_t i = 0; i < k; ++i) {
        const double product =
            double{matrix.weights[r * k + i]} * (tokens.q[t * k + i] - p.zero_point) * double{p.scale};
        sum += product;
        size += std::abs(product);
      }
      ASSERT_NEAR(one[t * stride + r], sum, 4e-6 * size + 1e-12) << "token " << t << " row " << r;
    }
    for (std::size_t r = rows; r < stride; ++r) ASSERT_EQ(one[t * stride + r], -7.0f);
  }
  for (const std::size_t count : {2u, 3u, 4u, 5u, 7u, 8u, 9u, 15u, 17u, 64u}) {
    std::vector<float> many(tokens.count * stride, -7.0f);
    ASSERT_TRUE(
        worker.run(matrix.view(), 0, rows, count, tokens.q.data(), tokens.params.data(), many.data(), stride).ok());
    ASSERT_EQ(std::memcmp(many.data(), one.data(), count * stride * sizeof(float)), 0) << count << " tokens";
    for (std::size_t i = count * stride; i < many.size(); ++i) ASSERT_EQ(many[i], -7.0f);
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, XnnLinear,
                         testing::Values(Shape{1, 32}, Shape{16, 32}, Shape{17, 64}, Shape{48, 96}, Shape{33, 1024},
                                         Shape{64, 1792}, Shape{40, 2048}, Shape{96, 7168}));

TEST_F(XnnWorkerTest, SlicesOfRowsGiveTheSameBits) {
  std::mt19937 random(3);
  const std::size_t rows = 700, k = 2048, nr = layout().nr;
  const Matrix matrix(rows, k, random);
  for (const std::size_t count : {1u, 3u, 9u}) {
    const Tokens tokens(count, k, random);
    std::vector<float> whole(count * rows), sliced(count * rows);
    XnnWorker worker = worker_for(k, rows, rows, count);
    ASSERT_TRUE(
        worker.run(matrix.view(), 0, rows, count, tokens.q.data(), tokens.params.data(), whole.data(), rows).ok());
    for (std::size_t begin = 0, step = nr; begin < rows; begin += step, step += nr) {
      const std::size_t n = std::min(step, rows - begin);
      ASSERT_TRUE(worker.prepare(k, n, rows, count).ok());
      ASSERT_TRUE(
          worker.run(matrix.view(), begin, n, count, tokens.q.data(), tokens.params.data(), sliced.data() + begin, rows)
              .ok());
    }
    EXPECT_EQ(std::memcmp(whole.data(), sliced.data(), whole.size() * sizeof(float)), 0);
  }
}

TEST_F(XnnWorkerTest, ReadsNothingBeyondItsBuffers) {
  std::mt19937 random(4);
  for (const auto& [rows, edge] :
       {std::pair{std::size_t{16}, test::Edge::kEnd}, std::pair{std::size_t{21}, test::Edge::kEnd},
        std::pair{std::size_t{64}, test::Edge::kEnd}, std::pair{std::size_t{64}, test::Edge::kStart}}) {
    const std::size_t k = 2048, count = 9;
    const Matrix matrix(rows, k, random);
    const Tokens tokens(count, k, random);
    const std::size_t bytes = layout().matrix_bytes(rows, k);
    test::GuardedBuffer weights(bytes, edge), q(tokens.q.size(), edge), out(count * rows * sizeof(float), edge);
    std::memcpy(weights.data(), matrix.packed.data(), bytes);
    std::memcpy(q.data(), tokens.q.data(), tokens.q.size());
    XnnWorker worker = worker_for(k, rows, rows, count);
    for (const std::size_t n : {1u, 9u}) {
      ASSERT_TRUE(worker
                      .run({weights.data(), rows, k}, 0, rows, n, q.as<std::int8_t>().data(), tokens.params.data(),
                           out.as<float>().data(), rows)
                      .ok());
    }
  }
}

TEST_F(XnnWorkerTest, NanScaleGivesNothingFinite) {
  std::mt19937 random(5);
  const Matrix matrix(16, 64, random);
  Tokens tokens(2, 64, random);
  tokens.params[1].scale = std::nanf("");
  XnnWorker worker = worker_for(64, 16, 16, 2);
  std::vector<float> out(32);
  ASSERT_TRUE(worker.run(matrix.view(), 0, 16, 2, tokens.q.data(), tokens.params.data(), out.data(), 16).ok());
  for (std::size_t r = 0; r < 16; ++r) {
    EXPECT_TRUE(std::isfinite(out[r]));
    EXPECT_FALSE(std::isfinite(out[16 + r]));
  }
}

TEST(XnnPack, PartsMakeTheWhole) {
  std::mt19937 random(6);
  for (const XnnLayout form : {XnnLayout{16, 8}, XnnLayout{8, 8}, XnnLayout{16, 4}, XnnLayout{16, 1}}) {
    const Matrix matrix(37, 96, random);
    std::vector<std::byte> whole(form.matrix_bytes(37, 96), std::byte{1}), parts(whole.size(), std::byte{2});
    xnn_pack_q4_0(form, matrix.gguf.data(), 37, 96, whole.data());
    for (std::size_t row = 0; row < 37; row += form.nr) {
      xnn_pack_q4_0(form, matrix.gguf.data() + row * 3 * kBlockBytes, std::min<std::size_t>(form.nr, 37 - row), 96,
                    parts.data() + row * form.row_bytes(96));
    }
    EXPECT_EQ(whole, parts);
  }
}

TEST(XnnPack, FindsTheFirstScaleThatIsNotFinite) {
  std::mt19937 random(7);
  Matrix matrix(40, 128, random);
  const auto spoil = [&](std::size_t block, std::uint16_t half) {
    std::memcpy(matrix.gguf.data() + block * kBlockBytes, &half, 2);
  };
  spoil(35 * 4 + 1, 0x7c00);
  EXPECT_EQ(xnn_pack_q4_0(layout(), matrix.gguf.data(), 40, 128, matrix.packed.data()), 35 * 4 + 1);
  spoil(3 * 4 + 3, 0xfe01);
  spoil(5 * 4, 0xfc00);
  EXPECT_EQ(xnn_pack_q4_0(layout(), matrix.gguf.data(), 40, 128, matrix.packed.data()), 3 * 4 + 3);
}

TEST_F(XnnWorkerTest, RefusesWhatCannotBeRight) {
  std::mt19937 random(8);
  const Matrix matrix(64, 64, random);
  const Tokens tokens(9, 64, random);
  std::vector<float> out(9 * 64);
  auto worker = XnnWorker::create(layout());
  const auto run = [&](std::size_t begin, std::size_t rows, std::size_t count) {
    return worker->run(matrix.view(), begin, rows, count, tokens.q.data(), tokens.params.data(), out.data(), 64);
  };
  EXPECT_EQ(worker->prepare(33, 64, 64, 8).error().code, ErrorCode::kArgument);
  EXPECT_EQ(worker->prepare(64, 0, 64, 8).error().code, ErrorCode::kArgument);
  EXPECT_EQ(worker->prepare(64, 64, 63, 8).error().code, ErrorCode::kArgument);
  EXPECT_EQ(run(0, 64, 1).error().code, ErrorCode::kState);
  ASSERT_TRUE(worker->prepare(64, 64, 64, 8).ok());
  EXPECT_TRUE(run(0, 64, 8).ok());
  EXPECT_TRUE(run(0, 64, 0).ok());
  EXPECT_EQ(run(0, 64, 9 + 100).error().code, ErrorCode::kState);
  EXPECT_EQ(run(1, 63, 1).error().code, ErrorCode::kArgument);
  EXPECT_EQ(run(0, 63, 1).error().code, ErrorCode::kArgument);
  EXPECT_EQ(run(64, 16, 1).error().code, ErrorCode::kArgument);
  EXPECT_EQ(run(0, 32, 1).error().code, ErrorCode::kState);
}

}  // namespace
}  // namespace lfm::ops
