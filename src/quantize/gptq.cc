#include "quantize/gptq.h"

#include <algorithm>
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

double dot(const float* a, const float* b) noexcept {
  double sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) sum += static_cast<double>(a[i] * b[i]);
  return sum;
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
}

// W* = W + W shift u^T u
void Feedback::aim(float* weights, std::size_t n) const {
  if (shift_.empty()) return;
  std::vector<float> a(n * k_), b(n * k_);
  dense_.product(weights, n, shift_.data(), k_, k_, a.data());
  dense_.rows(a.data(), n, u_.data(), k_, k_, b.data());
  dense_.product(b.data(), n, u_.data(), k_, k_, a.data());
  if (!std::all_of(a.begin(), a.end(), [](float value) { return std::isfinite(value); })) return;
  for (std::size_t i = 0; i < n * k_; ++i) weights[i] += a[i];
}

Feedback::Quantised::Quantised(format::TensorType of, std::size_t rows, std::size_t k)
    : type(of),
      grid(*grid_of(of)),
      n(rows),
      codes(rows * k),
      blocks(rows * k / format::block_columns(of)),
      scales(rows * k / grid.columns) {}

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
    for (std::size_t run = 0; run < runs; ++run) q.scales[(row * k_ + first) / q.grid.columns + run] = scales.of(run);
  }
  return true;
}

// Codes from left to right, each column's errors spread over those behind it: within kBlock columns at once, over the
// rest together.
bool Feedback::feed_back(Quantised& q, std::vector<float> w) const {
  std::vector<float> errors(q.n * kBlock);
  for (std::size_t first = 0; first < k_; first += kBlock) {
    if (first % format::block_columns(q.type) == 0 && !choose(q, w.data(), first / format::block_columns(q.type)))
      return false;
    for (std::size_t r = 0; r < q.n; ++r) {
      float* row = w.data() + r * k_ + first;
      for (std::size_t j = 0; j < kBlock; ++j) {
        const std::size_t at = r * k_ + first + j;
        const Scale scale = q.scales[at / q.grid.columns];
        const float inverse = scale.scale != 0 ? 1 / scale.scale : 0;
        q.codes[at] = nearest(q.grid, (row[j] + scale.minimum) * inverse);
        const float* u = u_.data() + (first + j) * k_ + first;
        const float error = errors[r * kBlock + j] = (row[j] - q.weight(at)) / u[j];
        for (std::size_t i = j + 1; i < kBlock; ++i) row[i] -= error * u[i];
      }
    }
    const std::size_t next = first + kBlock;
    dense_.subtract(errors.data(), q.n, kBlock, u_.data() + first * k_ + next, k_ - next, k_, w.data() + next);
  }
  return true;
}

// The scales of each row that are the best together, for the codes as they are: A d = r with A_bc = q_b^T H_bc q_c and
// r_b = q_b^T (H w)_b. Of types whose blocks have one scale.
void Feedback::refit(Quantised& q, const float* wanted) const {
  const std::size_t blocks = k_ / kBlock, n = q.n;
  std::vector<float> codes(n * kBlock), product(n * k_);  // of a block's codes with H
  std::vector<double> a(n * blocks * blocks), r(n * blocks);
  for (std::size_t c = 0; c < blocks; ++c) {
    for (std::size_t row = 0; row < n; ++row)
      std::copy_n(q.codes.data() + row * k_ + c * kBlock, kBlock, codes.data() + row * kBlock);
    dense_.product(codes.data(), n, h_.data() + c * kBlock * k_, k_, kBlock, product.data());
    for (std::size_t row = 0; row < n; ++row) {
      for (std::size_t b = 0; b < blocks; ++b)
        a[(row * blocks + b) * blocks + c] =
            dot(q.codes.data() + row * k_ + b * kBlock, product.data() + row * k_ + b * kBlock);
      r[row * blocks + c] = dot(codes.data() + row * kBlock, wanted + row * k_ + c * kBlock);
    }
  }
  for (std::size_t row = 0; row < n; ++row) {
    double* fitted = r.data() + row * blocks;
    if (!dense_.solve(a.data() + row * blocks * blocks, blocks, fitted)) continue;
    for (std::size_t b = 0; b < blocks; ++b) {
      BlockScales& block = q.blocks[row * blocks + b];
      const std::uint16_t half = half_of(static_cast<float>(fitted[b]));
      if (block.d == 0 || !is_finite_half(half)) continue;
      block.d = half;
      q.scales[row * blocks + b] = block.of(0);
    }
  }
}

// Of the squared error by the weights: (W - Q) H.
void Feedback::gradient(const Quantised& q, const float* wanted, float* gradient) const {
  std::vector<float> weights(q.codes.size());
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = q.weight(i);
  dense_.product(weights.data(), q.n, h_.data(), k_, k_, gradient);
  for (std::size_t i = 0; i < weights.size(); ++i) gradient[i] = wanted[i] - gradient[i];
}

// Each code to where its own column's share of the error is least, the others as they are.
void Feedback::descend(Quantised& q, float* gradient) const {
  for (std::size_t row = 0; row < q.n; ++row) {
    float* g = gradient + row * k_;
    for (std::size_t j = 0; j < k_; ++j) {
      const float scale = q.scales[(row * k_ + j) / q.grid.columns].scale;
      float& code = q.codes[row * k_ + j];
      if (scale == 0) continue;
      const float* h = h_.data() + j * k_;
      const float better = nearest(q.grid, code + g[j] / (h[j] * scale));
      if (better == code) continue;
      const float step = (better - code) * scale;
      code = better;
      for (std::size_t i = 0; i < k_; ++i) g[i] -= step * h[i];
    }
  }
}

bool Feedback::quantize(format::TensorType type, float* weights, std::size_t n, std::byte* out) const {
  aim(weights, n);
  Quantised q(type, n, k_);
  if (!feed_back(q, std::vector<float>(weights, weights + n * k_))) return false;
  std::vector<float> wanted(n * k_), left(n * k_);  // what the weights and their errors come to
  dense_.product(weights, n, h_.data(), k_, k_, wanted.data());
  for (int pass = 0; pass < kDescents; ++pass) {
    if (format::block_columns(type) == kBlock) refit(q, wanted.data());
    gradient(q, wanted.data(), left.data());
    descend(q, left.data());
  }
  for (std::size_t b = 0; b < q.blocks.size(); ++b) {
    put_block(type, q.blocks[b], q.codes.data() + b * format::block_columns(type), out + b * format::block_bytes(type));
  }
  for (std::size_t i = 0; i < n * k_; ++i) weights[i] = q.weight(i);
  return true;
}

}  // namespace lfm::quantize
