// The experts beside plain loops, for any number of rows: a row's result is its own.
#include "ops/experts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/ops/float_ops.h"

namespace lfm::ops {
namespace {

constexpr std::size_t kHidden = 64, kWidth = 96, kRows = 40;
constexpr float kEps = 1e-5f;

struct Size {
  std::size_t experts, used;
};

class ExpertsTest : public testing::TestWithParam<Size> {
 protected:
  std::size_t count() const { return GetParam().experts; }
  std::size_t used() const { return GetParam().used; }

  std::vector<double> expected(std::span<const float> x) const {
    const std::vector<double> u = rms_norm(x, gamma_, kEps);
    std::vector<double> scores = router_.times(u);
    for (double& s : scores) s = 1 / (1 + std::exp(-s));
    std::vector<std::size_t> order(count());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return scores[a] + bias_[a] > scores[b] + bias_[b]; });
    double sum = 1e-6;
    for (std::size_t i = 0; i < used(); ++i) sum += scores[order[i]];
    std::vector<double> out(x.begin(), x.end());
    for (std::size_t i = 0; i < used(); ++i) {
      const std::vector<double> gate = gate_.times(u, order[i]), up = up_.times(u, order[i]);
      std::vector<double> inner(kWidth);
      for (std::size_t n = 0; n < kWidth; ++n) inner[n] = gate[n] / (1 + std::exp(-gate[n])) * up[n];
      const std::vector<double> y = down_.times(inner, order[i]);
      for (std::size_t n = 0; n < kHidden; ++n) out[n] += scores[order[i]] / sum * y[n];
    }
    return out;
  }

  FloatMatrix router_{count(), kHidden, 1};
  FloatMatrix gate_{kWidth, kHidden, 2, count()}, up_{kWidth, kHidden, 3, count()}, down_{kHidden, kWidth, 4, count()};
  std::vector<float> bias_ = random_floats(count(), 0.2f, 5), gamma_ = random_floats(kHidden, 1.0f, 6);
  Experts experts_{router_.get(), bias_.data(), gate_.get(), up_.get(), down_.get(), count(), used()};
  OnATeam team_{{.max_tokens = kRows,
                 .hidden = kHidden,
                 .widest_input = kWidth,
                 .widest_output = 2 * kWidth,
                 .experts = count(),
                 .experts_used = used(),
                 .expert_width = kWidth}};
};

TEST_P(ExpertsTest, AreWhatTheySay) {
  const std::vector<float> x = random_floats(kRows * kHidden, 1.0f, 7);
  std::vector<std::vector<float>> alone;
  for (const std::size_t rows : {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{8}, kRows}) {
    for (std::size_t first = 0; first + rows <= kRows; first += rows) {
      std::copy_n(&x[first * kHidden], rows * kHidden, team_.workspace.x.begin());
      team_.run(rows, [&](const Context& c) { experts_.run(c, gamma_.data(), kEps); });
      for (std::size_t i = 0; i < rows; ++i) {
        const std::span<const float> row = std::span<const float>(team_.workspace.x).subspan(i * kHidden, kHidden);
        if (rows == 1) {
          alone.emplace_back(row.begin(), row.end());
          expect_near(expected(std::span(x).subspan(first * kHidden, kHidden)), row);
        } else {
          ASSERT_TRUE(std::ranges::equal(alone[first + i], row)) << "row " << first + i << " of " << rows;
        }
        if (HasFatalFailure()) return;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, ExpertsTest,
                         testing::Values(Size{4, 2}, Size{7, 3}, Size{32, 4}, Size{5, 5}, Size{1, 1}),
                         [](const auto& test) {
                           return std::to_string(test.param.used) + "of" + std::to_string(test.param.experts);
                         });

}  // namespace
}  // namespace lfm::ops
