// Every ISA against the scalar kernels: the same bits, and nothing touched outside the buffers.
#include "tests/support/same_bits.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstring>

#include "kernels/matmul/layout.h"
#include "kernels/table.h"
#include "tests/support/isa.h"

namespace lfm::kernels {
namespace {

using test::GuardedBuffer;
using test::name_of;
using test::Random;

constexpr std::uint32_t kSeeds = 100;

// n floats between forbidden pages.
class Row {
 public:
  Row(std::size_t n, Random& random) : buffer_(n * sizeof(float), random.edge()) { random.fill(floats()); }
  std::span<float> floats() { return buffer_.as<float>(); }
  float* data() { return floats().data(); }
  std::vector<float> copy() { return {floats().begin(), floats().end()}; }

 private:
  GuardedBuffer buffer_;
};

class VectorSameBits : public testing::TestWithParam<Isa> {
 protected:
  void SetUp() override { LFM_SKIP_WITHOUT(GetParam()); }

  template <class Run>
  void compare(Run run) {
    test::expect_same_runs(scalar::kVector, table(GetParam()).vector, kSeeds, run);
  }
};

TEST_P(VectorSameBits, RmsNorm) {
  compare([](const VectorKernels& kernels, Random& random) {
    const std::size_t n = 16 * random.between(1, 140);
    Row x(n, random), gamma(n, random), out(n, random);
    random.spoil(x.floats());
    if (random.between(0, 3) == 0) {
      for (float& value : x.floats()) value *= 0x1p62f;
    }
    const bool in_place = random.between(0, 1) == 1;
    kernels.rms_norm(x.data(), gamma.data(), n, 1e-5f, in_place ? x.data() : out.data());
    return in_place ? x.copy() : out.copy();
  });
}

TEST_P(VectorSameBits, QuantizeAct) {
  compare([](const VectorKernels& kernels, Random& random) {
    const std::size_t blocks = random.between(1, 20);
    Row x(blocks * kBlockColumns, random);
    random.spoil(x.floats());
    if (random.between(0, 3) == 0) {
      for (float& value : x.floats()) value *= 0x1p-100f;
    }
    GuardedBuffer act(blocks * kActBlockBytes, random.edge());
    kernels.quantize_act(x.data(), x.floats().size(), act.data());

    std::vector<float> out;
    for (std::size_t b = 0; b < blocks; ++b) {
      const std::byte* block = act.data() + b * kActBlockBytes;
      for (std::size_t i = 0; i < kBlockColumns; ++i) out.push_back(static_cast<float>(block[i]));
      for (std::size_t i = 0; i < 4; ++i) {
        std::uint32_t word;
        std::memcpy(&word, block + kBlockColumns + i * 4, 4);
        out.push_back(std::bit_cast<float>(word));
      }
    }
    return out;
  });
}

TEST_P(VectorSameBits, QuantizeRow) {
  compare([](const VectorKernels& kernels, Random& random) {
    Row x(16 * random.between(1, 40), random);
    const float offset = static_cast<float>(random.between(0, 8)) - 4.0f;
    for (float& value : x.floats()) value += offset;
    if (random.between(0, 2) == 0) random.spoil(x.floats());
    if (random.between(0, 3) == 0) {
      for (float& value : x.floats()) value *= random.between(0, 1) == 0 ? 0x1p-102f : 0x1p+126f;
    }
    GuardedBuffer q(x.floats().size(), random.edge());
    float scale = 0.0f;
    std::int32_t zero_point = 0;
    kernels.quantize_row(x.data(), q.size(), q.as<std::int8_t>().data(), &scale, &zero_point);
    std::vector<float> out = {scale, static_cast<float>(zero_point)};
    for (const std::int8_t code : q.as<std::int8_t>()) out.push_back(code);
    return out;
  });
}

TEST_P(VectorSameBits, Swiglu) {
  compare([](const VectorKernels& kernels, Random& random) {
    const std::size_t n = 16 * random.between(1, 40);
    Row gate(n, random), up(n, random), out(n, random);
    for (float& g : gate.floats()) g *= 30.0f;
    random.spoil(gate.floats());
    random.spoil(up.floats());
    Row* const results[] = {&gate, &up, &out};
    Row& result = *results[random.between(0, 2)];
    kernels.swiglu(gate.data(), up.data(), n, result.data());
    return result.copy();
  });
}

TEST_P(VectorSameBits, AddScaled) {
  compare([](const VectorKernels& kernels, Random& random) {
    const std::size_t n = 16 * random.between(1, 40);
    Row x(n, random), out(n, random);
    random.spoil(x.floats());
    kernels.add_scaled(x.data(), random.normal(), n, out.data());
    return out.copy();
  });
}

TEST_P(VectorSameBits, Add) {
  compare([](const VectorKernels& kernels, Random& random) {
    const std::size_t n = 16 * random.between(1, 40);
    Row x(n, random), out(n, random);
    random.spoil(x.floats());
    kernels.add(x.data(), n, out.data());
    return out.copy();
  });
}

TEST_P(VectorSameBits, Rope) {
  compare([](const VectorKernels& kernels, Random& random) {
    const std::size_t head_dim = 32 * random.between(1, 8);
    Row x(head_dim, random), cos(head_dim / 2, random), sin(head_dim / 2, random);
    random.spoil(x.floats());
    kernels.rope(x.data(), cos.data(), sin.data(), head_dim);
    return x.copy();
  });
}

TEST_P(VectorSameBits, ShortConv) {
  compare([](const VectorKernels& kernels, Random& random) {
    const std::size_t l = random.between(2, kMaxTaps), tokens = random.between(1, 20);
    const std::size_t in_stride = 16 * random.between(1, 3), out_stride = 16 * random.between(1, 3);
    const std::size_t in_floats = (tokens - 1) * in_stride + 16;
    Row b(in_floats, random), c(in_floats, random), x(in_floats, random);
    Row taps(l * 16, random), state((l - 1) * 16, random), out((tokens - 1) * out_stride + 16, random);
    random.spoil(x.floats());
    kernels.short_conv(b.data(), c.data(), x.data(), static_cast<std::ptrdiff_t>(in_stride), tokens, taps.data(), l,
                       state.data(), out.data(), static_cast<std::ptrdiff_t>(out_stride));
    std::vector<float> result = out.copy();
    result.insert(result.end(), state.floats().begin(), state.floats().end());
    return result;
  });
}

TEST_P(VectorSameBits, Read) {
  compare([](const VectorKernels& kernels, Random& random) {
    GuardedBuffer bytes(1024 * random.between(1, 9), random.edge());
    for (std::uint32_t& word : bytes.as<std::uint32_t>())
      word = static_cast<std::uint32_t>(random.between(0, 0xffffffff));
    return std::vector<float>{std::bit_cast<float>(kernels.read(bytes.data(), bytes.size()) % 0x7f800000)};
  });
}

INSTANTIATE_TEST_SUITE_P(Isas, VectorSameBits,
                         testing::ValuesIn(test::isas_with_own([](auto& table) { return &table.vector; })),
                         [](const auto& test) { return name_of(test.param); });

}  // namespace
}  // namespace lfm::kernels
