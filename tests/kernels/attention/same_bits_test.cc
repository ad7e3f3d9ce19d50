// Every ISA against the scalar kernels: the same bits, and nothing touched outside the buffers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/table.h"
#include "tests/kernels/attention/kv_cache.h"
#include "tests/support/isa.h"

namespace lfm::kernels {
namespace {

using test::GuardedBuffer;
using test::KvCache;
using test::name_of;
using test::Random;

class AttentionSameBits : public testing::TestWithParam<std::tuple<Isa, KvFormat>> {
 protected:
  void SetUp() override { LFM_SKIP_WITHOUT(std::get<Isa>(GetParam())); }
  const AttentionKernels& kernels() const { return table(std::get<Isa>(GetParam())).attention; }
  static KvFormat format() { return std::get<KvFormat>(GetParam()); }
  // Of q8_0 scales are of 32 channels.
  static std::size_t head_dim(Random& random) {
    return format() == test::kF16 ? 16 * random.between(2, 16) : 32 * random.between(1, 8);
  }
};

TEST_P(AttentionSameBits, Append) {
  test::expect_same_runs(scalar::kAttention, kernels(), 100, [](const auto& kernels, Random& random) {
    const std::size_t head_dim = AttentionSameBits::head_dim(random), position = random.between(0, 100);
    KvCache cache(position + 1, head_dim, random.edge(), format());
    GuardedBuffer key(head_dim * 4, random.edge()), value(head_dim * 4, random.edge());
    const bool wild = random.between(0, 1) == 0;
    for (float& x : key.as<float>()) x = wild ? random.any_bits() : random.normal();
    // Around and between the values of f16, where rounding is decided.
    for (float& x : value.as<float>()) {
      x = std::ldexp(static_cast<float>(random.between(0, 8192)), static_cast<int>(random.between(0, 45)) - 30);
    }
    cache.append(kernels, key.as<float>(), value.as<float>(), position);
    std::vector<float> out;
    for (std::size_t p = 0; p <= position; ++p) {
      for (std::size_t d = 0; d < head_dim; ++d) {
        out.push_back(static_cast<float>(cache.key(p, d)));
        out.push_back(static_cast<float>(cache.value(p, d)));
      }
    }
    return out;
  });
}

TEST_P(AttentionSameBits, Partial) {
  test::expect_same_runs(scalar::kAttention, kernels(), 60, [](const auto& kernels, Random& random) {
    const std::size_t head_dim = AttentionSameBits::head_dim(random), queries = random.between(1, kMaxQueries);
    const std::size_t kv_heads = random.between(1, kMaxQueries / queries), rows = kv_heads * queries;
    const std::size_t begin = kSplit * random.between(0, 1), positions = begin + random.between(1, 200);
    KvCache cache(positions, head_dim, random.edge(), format(), kv_heads);
    for (std::size_t head = 0; head < kv_heads; ++head) {
      cache.select(head);
      cache.fill(scalar::kAttention, positions, random);
    }
    if (random.between(0, 3) == 0) cache.spoil(random.between(0, positions - 1));
    if (random.between(0, 3) == 0) {  // values that are zeros, tiny or large
      for (std::size_t n = random.between(1, 100); n > 0; --n) {
        std::vector<float> key(head_dim), value(head_dim);
        random.fill(key);
        random.fill(value);
        const float size = std::ldexp(1.0f, static_cast<int>(random.between(0, 60)) - 45);
        for (float& x : value) x *= random.between(0, 3) == 0 ? 0.0f : size;
        cache.append(scalar::kAttention, key, value, random.between(0, positions - 1));
      }
    }

    const std::size_t q_stride = head_dim + 16 * random.between(0, 2);
    GuardedBuffer q(((rows - 1) * q_stride + head_dim) * 4, random.edge());
    random.fill(q.as<float>());
    if (random.between(0, 7) == 0) random.spoil(q.as<float>());
    const float scale = 1.0f / static_cast<float>(random.between(1, 20));  // from flat to sharp softmax
    for (float& x : q.as<float>()) x *= scale;
    GuardedBuffer limits(rows * 4, random.edge());
    const std::size_t spread = random.between(0, 1) == 0 ? 4 : positions;
    for (std::uint32_t& limit : limits.as<std::uint32_t>()) {
      limit = static_cast<std::uint32_t>(positions - random.between(0, std::min(spread, positions) - 1));
    }
    limits.as<std::uint32_t>()[random.between(0, rows - 1)] = static_cast<std::uint32_t>(positions);

    GuardedBuffer m(rows * 4, random.edge()), l(rows * 4, random.edge());
    GuardedBuffer o(rows * head_dim * 4, random.edge());
    kernels.of(format()).partial(q.template as<float>().data(), static_cast<std::ptrdiff_t>(q_stride),
                                 limits.template as<std::uint32_t>().data(), queries, kv_heads, cache.pages(), 0, begin,
                                 head_dim, m.template as<float>().data(), l.template as<float>().data(),
                                 o.template as<float>().data());
    std::vector<float> out;
    for (GuardedBuffer* buffer : {&m, &l, &o}) {
      out.insert(out.end(), buffer->as<float>().begin(), buffer->as<float>().end());
    }
    return out;
  });
}

TEST_P(AttentionSameBits, Merge) {
  test::expect_same_runs(scalar::kAttention, kernels(), 200, [](const auto& kernels, Random& random) {
    const std::size_t head_dim = 16 * random.between(2, 16), splits = random.between(1, 9);
    const std::size_t ml_stride = random.between(1, 4), o_stride = head_dim + 16 * random.between(0, 2);
    GuardedBuffer m(((splits - 1) * ml_stride + 1) * 4, random.edge());
    GuardedBuffer l(m.size(), random.edge());
    GuardedBuffer o(((splits - 1) * o_stride + head_dim) * 4, random.edge());
    GuardedBuffer out(head_dim * 4, random.edge());
    for (float& x : m.as<float>()) x = 10.0f * random.normal();
    for (float& x : l.as<float>()) x = 1.0f + std::fabs(random.normal());
    random.fill(o.as<float>());
    if (random.between(0, 1) == 0) {  // the query saw nothing of the last splits
      for (std::size_t split = random.between(1, splits); split < splits; ++split) {
        m.as<float>()[split * ml_stride] = -std::numeric_limits<float>::infinity();
        l.as<float>()[split * ml_stride] = 0.0f;
        for (std::size_t d = 0; d < head_dim; ++d) o.as<float>()[split * o_stride + d] = 0.0f;
      }
    }
    kernels.merge(m.template as<float>().data(), l.template as<float>().data(), static_cast<std::ptrdiff_t>(ml_stride),
                  o.template as<float>().data(), static_cast<std::ptrdiff_t>(o_stride), splits, head_dim,
                  out.template as<float>().data());
    return std::vector<float>(out.as<float>().begin(), out.as<float>().end());
  });
}

INSTANTIATE_TEST_SUITE_P(Isas, AttentionSameBits,
                         testing::Combine(testing::ValuesIn(test::isas_with_own([](auto& table) {
                                            return &table.attention;
                                          })),
                                          testing::ValuesIn(test::kKvFormats)),
                         [](const auto& test) {
                           return name_of(std::get<Isa>(test.param)) + "_" + name_of(std::get<KvFormat>(test.param));
                         });

}  // namespace
}  // namespace lfm::kernels
