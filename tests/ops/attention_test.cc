// Attention beside plain loops, for sequences that run in pieces and side by side.
#include "ops/attention.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/ops/float_ops.h"

namespace lfm::ops {
namespace {

using kernels::kKvBlock;

constexpr std::size_t kHidden = 64, kHeadDim = 32, kMaxTokens = 560;
constexpr float kEps = 1e-5f;
constexpr double kRopeBase = 10000;

struct Heads {
  std::size_t heads, kv_heads;
};

class AttentionOp : public testing::TestWithParam<Heads> {
 protected:
  std::size_t heads() const { return GetParam().heads; }
  std::size_t kv_heads() const { return GetParam().kv_heads; }

  // What a head of a projection becomes at a position.
  static std::vector<double> turned(std::span<const double> head, std::span<const float> gamma, std::size_t position) {
    const std::vector<double> x = rms_norm(head, gamma, kEps);
    std::vector<double> out(kHeadDim);
    for (std::size_t i = 0; i < kHeadDim / 2; ++i) {
      const double angle =
          static_cast<double>(position) * std::pow(kRopeBase, -2.0 * static_cast<double>(i) / kHeadDim);
      out[i] = x[i] * std::cos(angle) - x[i + kHeadDim / 2] * std::sin(angle);
      out[i + kHeadDim / 2] = x[i + kHeadDim / 2] * std::cos(angle) + x[i] * std::sin(angle);
    }
    return out;
  }

  // x of a sequence after the mixer.
  std::vector<double> expected(std::span<const float> x) const {
    const std::size_t tokens = x.size() / kHidden;
    std::vector<std::vector<double>> keys, values;
    std::vector<double> out(x.begin(), x.end());
    for (std::size_t t = 0; t < tokens; ++t) {
      const std::vector<double> u = rms_norm(x.subspan(t * kHidden, kHidden), gamma_, kEps);
      const std::vector<double> queries = q_.times(u), key = k_.times(u);
      keys.emplace_back();
      for (std::size_t h = 0; h < kv_heads(); ++h) {
        const std::vector<double> one = turned(std::span(key).subspan(h * kHeadDim, kHeadDim), k_norm_, t);
        keys[t].insert(keys[t].end(), one.begin(), one.end());
      }
      values.push_back(v_.times(u));
      std::vector<double> y(heads() * kHeadDim);
      for (std::size_t h = 0; h < heads(); ++h) {
        const std::vector<double> query = turned(std::span(queries).subspan(h * kHeadDim, kHeadDim), q_norm_, t);
        const std::size_t at = h / (heads() / kv_heads()) * kHeadDim;
        std::vector<double> p(t + 1);
        double sum = 0;
        for (std::size_t j = 0; j <= t; ++j) {
          double score = 0;
          for (std::size_t d = 0; d < kHeadDim; ++d) score += query[d] * keys[j][at + d];
          sum += p[j] = std::exp(score / std::sqrt(static_cast<double>(kHeadDim)));
        }
        for (std::size_t j = 0; j <= t; ++j) {
          for (std::size_t d = 0; d < kHeadDim; ++d) y[h * kHeadDim + d] += p[j] / sum * values[j][at + d];
        }
      }
      const std::vector<double> mixed = o_.times(y);
      for (std::size_t i = 0; i < kHidden; ++i) out[t * kHidden + i] += mixed[i];
    }
    return out;
  }

  // A sequence, its cache, and what is to come of it.
  struct Sequence {
    std::vector<float> x;
    std::vector<double> after;
    base::Memory memory;
    std::vector<std::byte*> pages;
    std::size_t position = 0;
  };
  Sequence sequence(std::size_t tokens) const {
    Sequence s{random_floats(tokens * kHidden, 1.0f, static_cast<std::uint32_t>(tokens)), {}, {}, {}, 0};
    s.after = expected(s.x);
    const std::size_t page = kv_heads() * kBlockBytes, pages = (tokens + kKvBlock - 1) / kKvBlock;
    s.memory = *base::Memory::allocate(pages * page);
    for (std::size_t i = pages; i > 0; --i) s.pages.push_back(s.memory.data() + (i - 1) * page);  // in any order
    return s;
  }

  void run(std::vector<Sequence>& sequences, const std::vector<std::size_t>& rows) {
    std::vector<KvRun> runs;
    std::size_t first = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i] == 0) continue;
      Sequence& s = sequences[i];
      std::copy_n(&s.x[s.position * kHidden], rows[i] * kHidden, &team_.workspace.x[first * kHidden]);
      runs.push_back({{first, rows[i]}, s.position, {{}, s.pages.data(), 0, kBlockBytes}});
      first += rows[i];
    }
    team_.run(first, [&](const Context& c) {
      for (const KvRun& run : runs) rotary_angles(c, kRopeBase, kHeadDim, run.rows, run.position);
      c.worker.barrier();
      attention_.mix(c, gamma_.data(), kEps, runs);
      attention_.add_out(c);
    });
    first = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      Sequence& s = sequences[i];
      for (std::size_t n = 0; n < rows[i] * kHidden; ++n) {  // keys and values are rounded to f16
        const double wanted = s.after[s.position * kHidden + n];
        ASSERT_NEAR(wanted, team_.workspace.x[first * kHidden + n], 2e-3) << "sequence " << i << ", " << n;
      }
      s.position += rows[i];
      first += rows[i];
    }
  }

  static constexpr std::size_t kBlockBytes = kernels::kv_block_bytes({}, kHeadDim);

  FloatMatrix q_{heads() * kHeadDim, kHidden, 1}, k_{kv_heads() * kHeadDim, kHidden, 2};
  FloatMatrix v_{kv_heads() * kHeadDim, kHidden, 3}, o_{kHidden, heads() * kHeadDim, 4};
  std::vector<float> q_norm_ = random_floats(kHeadDim, 1.0f, 5), k_norm_ = random_floats(kHeadDim, 1.0f, 6);
  std::vector<float> gamma_ = random_floats(kHidden, 1.0f, 7);
  Attention attention_{q_.get(),        k_.get(), v_.get(),   o_.get(), q_norm_.data(),
                       k_norm_.data(), heads(),  kv_heads(), kHeadDim};
  OnATeam team_{{.max_tokens = kMaxTokens,
                 .hidden = kHidden,
                 .widest_input = std::max(kHidden, heads() * kHeadDim),
                 .widest_output = (heads() + 2 * kv_heads()) * kHeadDim,
                 .heads = heads(),
                 .head_dim = kHeadDim,
                 .max_positions = kMaxTokens}};
};

TEST_P(AttentionOp, IsSoftmaxOfWhatCameBefore) {
  std::vector<Sequence> sequences;
  for (const std::size_t tokens : {70, 9, 130}) sequences.push_back(sequence(tokens));
  for (const std::vector<std::size_t>& rows : std::vector<std::vector<std::size_t>>{
           {1, 0, 0}, {2, 1, 100}, {1, 1, 1}, {60, 0, 1}, {6, 7, 28}}) {
    run(sequences, rows);
    if (HasFatalFailure()) return;
  }
}

class AttentionOpLong : public AttentionOp {};

// Past kSplit positions, by many rows and by one.
TEST_P(AttentionOpLong, LongContexts) {
  std::vector<Sequence> sequences;
  sequences.push_back(sequence(kernels::kSplit + 8));
  for (const std::size_t rows : {kernels::kSplit - 2, std::size_t{1}, std::size_t{4}, std::size_t{1}, std::size_t{4}}) {
    run(sequences, {rows});
    if (HasFatalFailure()) return;
  }
}

std::string name_of(const testing::TestParamInfo<Heads>& test) {
  return std::to_string(test.param.heads) + "over" + std::to_string(test.param.kv_heads);
}
INSTANTIATE_TEST_SUITE_P(Groups, AttentionOp, testing::Values(Heads{2, 2}, Heads{2, 1}, Heads{6, 2}, Heads{18, 1}),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Groups, AttentionOpLong, testing::Values(Heads{2, 1}), name_of);

}  // namespace
}  // namespace lfm::ops
