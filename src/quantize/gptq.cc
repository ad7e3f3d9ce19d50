#include "quantize/gptq.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <utility>

#include "quantize/blocks/halves.h"

namespace lfm::quantize {
namespace {

constexpr double kDamping = 0.01;    // of the mean diagonal
constexpr double kMoreDamping = 10;  // times, where the factor doesn't exist
constexpr int kTries = 12;
constexpr int kDescents = 2;  // over all columns, one by one
constexpr std::size_t kPanelColumns = 128;  // columns that are done before what they do to all the others is

// Of a block.
double dot(const float* a, const float* b) noexcept {
  constexpr std::size_t kLanes = 8;  // of sums side by side
  float sums[kLanes] = {};
  for (std::size_t i = 0; i < kBlock; i += kLanes) {
    for (std::size_t j = 0; j < kLanes; ++j) sums[j] += a[i + j] * b[i + j];
  }
  return static_cast<double>((sums[0] + sums[4]) + (sums[1] + sums[5]) + (sums[2] + sums[6]) + (sums[3] + sums[7]));
}

}  // namespace

Feedback::Feedback(const Dense& dense, std::size_t k, std::vector<float> h, std::vector<float> c)
    : dense_(dense), k_(k), h_(std::move(h)), u_(k * k), shift_(std::move(c)) {
  for (std::size_t i = 0; i < shift_.size(); ++i) shift_[i] -= h_[i];
  double mean = 0;
  for (std::size_t i = 0; i < k; ++i) mean += static_cast<double>(h_[i * (k + 1)]) / static_cast<double>(k);
  double damping = mean > 0 ? kDamping * mean : 1;
  int tries = 0;
  while (!dense_.factor(h_.data(), k, damping, u_.data()) && ++tries < kTries) damping *= kMoreDamping;
  if (tries == kTries) {  // of numbers that are none: every weight by itself, then
    std::fill(h_.begin(), h_.end(), 0.0f);
    shift_.clear();
    damping = 1;
    dense_.factor(h_.data(), k, damping, u_.data());
  }
  for (std::size_t i = 0; i < k; ++i) h_[i * (k + 1)] += static_cast<float>(damping);
  if (!shift_.empty()) dense_.divide(shift_.data(), u_.data(), k);
}

// W* = W + W (c - h) h^-1
void Feedback::aim(float* weights, std::size_t n) const {
  if (shift_.empty()) return;
  std::vector<float> shifts(n * k_);
  dense_.product(weights, n, shift_.data(), k_, k_, shifts.data());
  if (!std::all_of(shifts.begin(), shifts.end(), [](float value) { return std::isfinite(value); })) return;
  for (std::size_t i = 0; i < n * k_; ++i) weights[i] += shifts[i];
}

Feedback::Quantised::Quantised(format::TensorType of, std::size_t rows, std::size_t k)
    : type(of),
      grid(*grid_of(of)),
      n(rows),
      runs(k / grid.columns),
      codes(rows * k),
      blocks(rows * k / format::block_columns(of)),
      scales(rows * runs) {}

void Feedback::Quantised::weights_of(std::size_t row, float* weights) const noexcept {
  for (std::size_t run = row * runs; run < (row + 1) * runs; ++run) {
    const Scale scale = scales[run];
    const float* const from = codes.data() + run * grid.columns;
    for (std::size_t i = 0; i < grid.columns; ++i) *weights++ = from[i] * scale.scale - scale.minimum;
  }
}

// The scales of a block of every row, on the weights as they are: errors of a column weigh what later ones can't make
// good of them.
bool Feedback::choose(Quantised& q, const float* w, std::size_t block) const {
  const std::size_t columns = format::block_columns(q.type), first = block * columns, runs = columns / q.grid.columns;
  std::vector<float> importance(columns);
  for (std::size_t j = 0; j < columns; ++j) {
    const float u = u_[(first + j) * (k_ + 1)];
    importance[j] = 1 / (u * u);
  }
  for (std::size_t row = 0; row < q.n; ++row) {
    BlockScales& scales = q.blocks[row * (k_ / columns) + block];
    if (!choose_scales(q.type, w + row * k_ + first, importance.data(), scales)) return false;
    for (std::size_t run = 0; run < runs; ++run) q.scales[row * q.runs + block * runs + run] = scales.of(run);
  }
  return true;
}

// The codes of a block of a row, each column's error spread over those behind it.
void Feedback::feed_back(Quantised& q, std::size_t row, std::size_t first, float* w, float* errors) const {
  for (std::size_t run = 0; run < kBlock; run += q.grid.columns) {
    const Scale scale = q.scales[row * q.runs + (first + run) / q.grid.columns];
    const float inverse = scale.scale != 0 ? 1 / scale.scale : 0;
    for (std::size_t j = run; j < run + q.grid.columns; ++j) {
      const float code = nearest(q.grid, (w[j] + scale.minimum) * inverse);
      q.codes[row * k_ + first + j] = code;
      const float* u = u_.data() + (first + j) * k_ + first;
      const float error = errors[j] = (w[j] - (code * scale.scale - scale.minimum)) / u[j];
      for (std::size_t i = j + 1; i < kBlock; ++i) w[i] -= error * u[i];
    }
  }
}

// Codes from left to right: what a block's errors do to the columns behind it is taken from its panel's at once, from
// the others' together with the panel's other blocks.
bool Feedback::feed_back(Quantised& q, std::vector<float> w) const {
  const std::size_t columns = format::block_columns(q.type);
  std::vector<float> errors(q.n * kPanelColumns);
  for (std::size_t panel = 0; panel < k_; panel += kPanelColumns) {
    const std::size_t end = std::min(panel + kPanelColumns, k_);
    for (std::size_t first = panel; first < end; first += kBlock) {
      if (first % columns == 0 && !choose(q, w.data(), first / columns)) return false;
      float* const own = errors.data() + (first - panel);
      for (std::size_t r = 0; r < q.n; ++r) feed_back(q, r, first, w.data() + r * k_ + first, own + r * kPanelColumns);
      const std::size_t next = first + kBlock;
      dense_.subtract(own, q.n, kBlock, kPanelColumns, u_.data() + first * k_ + next, end - next, k_, w.data() + next);
    }
    dense_.subtract(errors.data(), q.n, end - panel, kPanelColumns, u_.data() + panel * k_ + end, k_ - end, k_,
                    w.data() + end);
  }
  return true;
}

// The scales of each row that are the best together, for the codes as they are: by A (d' - d) = r with
// A_bc = q_b^T H_bc q_c and r_b = q_b^T (H left)_b. Of types whose blocks have one scale.
void Feedback::refit(Quantised& q, const float* left) const {
  const std::size_t blocks = k_ / kBlock, n = q.n;
  std::vector<float> codes(n * kBlock), product(n * k_);  // of a block's codes with H
  std::vector<double> a(n * blocks * blocks), r(n * blocks);
  for (std::size_t c = 0; c < blocks; ++c) {
    for (std::size_t row = 0; row < n; ++row)
      std::copy_n(q.codes.data() + row * k_ + c * kBlock, kBlock, codes.data() + row * kBlock);
    dense_.product(codes.data(), n, h_.data() + c * kBlock * k_, k_, kBlock, product.data());
    for (std::size_t row = 0; row < n; ++row) {
      const float* const products = product.data() + row * k_;
      for (std::size_t b = c; b < blocks; ++b)  // the lower half, at which solve() looks
        a[(row * blocks + b) * blocks + c] = dot(q.codes.data() + row * k_ + b * kBlock, products + b * kBlock);
      for (std::size_t b = 0; b < blocks; ++b)
        r[row * blocks + c] += dot(left + row * k_ + b * kBlock, products + b * kBlock);
    }
  }
  for (std::size_t row = 0; row < n; ++row) {
    double* fitted = r.data() + row * blocks;
    if (!dense_.solve(a.data() + row * blocks * blocks, blocks, fitted)) continue;
    for (std::size_t b = 0; b < blocks; ++b) {
      BlockScales& block = q.blocks[row * blocks + b];
      const std::uint16_t half = half_of(block.of(0).scale + static_cast<float>(fitted[b]));
      if (block.d == 0 || !is_finite_half(half)) continue;
      block.d = half;
      q.scales[row * blocks + b] = block.of(0);
    }
  }
}

// left = weights - Q
void Feedback::take_away(const Quantised& q, const float* weights, float* left) const {
  for (std::size_t row = 0; row < q.n; ++row) {
    float* const of_row = left + row * k_;
    q.weights_of(row, of_row);
    for (std::size_t i = 0; i < k_; ++i) of_row[i] = weights[row * k_ + i] - of_row[i];
  }
}

// Each code to where its own column's share of the error is least, the others as they are. `left` is what the weights
// lack: W - Q.
void Feedback::descend(Quantised& q, float* left) const {
  const int shift = std::countr_zero(q.grid.columns);
  std::vector<float> gradient(q.n * kPanelColumns);  // of the squared error by the panel's weights: left * h
  for (std::size_t panel = 0; panel < k_; panel += kPanelColumns) {
    const std::size_t width = std::min(kPanelColumns, k_ - panel);
    dense_.rows(left, q.n, h_.data() + panel * k_, width, k_, gradient.data());
    for (std::size_t row = 0; row < q.n; ++row) {
      float* const g = gradient.data() + row * width;
      for (std::size_t j = 0; j < width; ++j) {
        const float scale = q.scales[row * q.runs + ((panel + j) >> shift)].scale;
        if (scale == 0) continue;
        float& code = q.codes[row * k_ + panel + j];
        const float* h = h_.data() + (panel + j) * k_ + panel;
        const float better = nearest(q.grid, code + g[j] / (h[j] * scale));
        if (better == code) continue;
        const float step = (better - code) * scale;
        code = better;
        left[row * k_ + panel + j] -= step;
        for (std::size_t i = j + 1; i < width; ++i) g[i] -= step * h[i];
      }
    }
  }
}

bool Feedback::quantize(format::TensorType type, float* weights, std::size_t n, std::byte* out) const {
  aim(weights, n);
  Quantised q(type, n, k_);
  if (!feed_back(q, std::vector<float>(weights, weights + n * k_))) return false;
  std::vector<float> left(n * k_);
  take_away(q, weights, left.data());
  if (format::block_columns(type) == kBlock) {
    refit(q, left.data());
    take_away(q, weights, left.data());
  }
  for (int pass = 0; pass < kDescents; ++pass) descend(q, left.data());
  for (std::size_t b = 0; b < q.blocks.size(); ++b) {
    put_block(type, q.blocks[b], q.codes.data() + b * format::block_columns(type), out + b * format::block_bytes(type));
  }
  for (std::size_t row = 0; row < n; ++row) q.weights_of(row, weights + row * k_);
  return true;
}

}  // namespace lfm::quantize
