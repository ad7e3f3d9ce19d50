#include "quantize/gptq.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "quantize/encode.h"
#include "quantize/grid.h"
#include "quantize/halves.h"

namespace lfm::quantize {
namespace {

constexpr double kDamping = 0.01;    // of the mean diagonal
constexpr double kMoreDamping = 10;  // times, where the factor doesn't exist
constexpr int kTries = 12;
constexpr int kDescents = 2;  // over all columns, one by one

const Grid& grid_of(format::TensorType type) noexcept {
  return type == format::TensorType::kQ4_0 ? kQ4_0Grid : kIQ4_NLGrid;
}

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

// The scales of each row that are the best together, for the codes as they are: A d = r with A_bc = q_b^T H_bc q_c and
// r_b = q_b^T (H w)_b. The gradient is that of the scales as they are then.
void Feedback::refit(Quantised& q, const float* wanted, std::size_t n, float* gradient) const {
  const std::size_t blocks = k_ / kBlock;
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
    float* scales = q.scales.data() + row * blocks;
    double* fitted = r.data() + row * blocks;
    if (dense_.solve(a.data() + row * blocks * blocks, blocks, fitted)) {
      for (std::size_t b = 0; b < blocks; ++b) {
        const std::uint16_t half = half_of(static_cast<float>(fitted[b]));
        if (scales[b] != 0 && (half & 0x7c00u) != 0x7c00u) scales[b] = float_of_half(half);
      }
    }
  }
  std::vector<float> weights(n * k_);
  for (std::size_t i = 0; i < n * k_; ++i) weights[i] = q.codes[i] * q.scales[i / kBlock];
  dense_.product(weights.data(), n, h_.data(), k_, k_, gradient);
  for (std::size_t i = 0; i < n * k_; ++i) gradient[i] = wanted[i] - gradient[i];
}

// Each code to where its own column's share of the error is least, the others as they are.
void Feedback::descend(const Grid& grid, Quantised& q, std::size_t n, float* gradient) const {
  for (std::size_t row = 0; row < n; ++row) {
    float* g = gradient + row * k_;
    for (std::size_t j = 0; j < k_; ++j) {
      const float scale = q.scales[row * (k_ / kBlock) + j / kBlock];
      float& code = q.codes[row * k_ + j];
      if (scale == 0) continue;
      const float* h = h_.data() + j * k_;
      const float better = nearest(grid, code + g[j] / (h[j] * scale));
      if (better == code) continue;
      const float step = (better - code) * scale;
      code = better;
      for (std::size_t i = 0; i < k_; ++i) g[i] -= step * h[i];
    }
  }
}

bool Feedback::quantize(format::TensorType type, float* weights, std::size_t n, std::byte* out) const {
  const Grid& grid = grid_of(type);
  const std::size_t blocks = k_ / kBlock;
  aim(weights, n);
  std::vector<float> w(weights, weights + n * k_), errors(n * kBlock);
  Quantised q{std::vector<float>(n * k_), std::vector<float>(n * blocks)};
  for (std::size_t b = 0; b < blocks; ++b) {
    const std::size_t first = b * kBlock;
    float importance[kBlock];
    for (std::size_t j = 0; j < kBlock; ++j) {
      const float u = u_[(first + j) * (k_ + 1)];
      importance[j] = 1 / (u * u);
    }
    for (std::size_t r = 0; r < n; ++r) {
      float* row = w.data() + r * k_ + first;
      const std::uint16_t half = half_of(best_scale(grid, {row, kBlock}, importance));
      if ((half & 0x7c00u) == 0x7c00u) return false;
      const float scale = q.scales[r * blocks + b] = float_of_half(half);
      const float inverse = scale != 0 ? 1 / scale : 0;
      for (std::size_t j = 0; j < kBlock; ++j) {
        const float* u = u_.data() + (first + j) * k_ + first;
        const float code = q.codes[r * k_ + first + j] = nearest(grid, row[j] * inverse);
        const float error = (row[j] - code * scale) / u[j];
        errors[r * kBlock + j] = error;
        for (std::size_t i = j + 1; i < kBlock; ++i) row[i] -= error * u[i];
      }
    }
    const std::size_t next = first + kBlock;
    dense_.subtract(errors.data(), n, kBlock, u_.data() + first * k_ + next, k_ - next, k_, w.data() + next);
  }

  std::vector<float> wanted(n * k_), gradient(n * k_);  // what the weights and their errors come to
  dense_.product(weights, n, h_.data(), k_, k_, wanted.data());
  for (int pass = 0; pass < kDescents; ++pass) {
    refit(q, wanted.data(), n, gradient.data());
    descend(grid, q, n, gradient.data());
  }

  const std::size_t bytes = format::block_bytes(type);
  for (std::size_t b = 0; b < n * blocks; ++b) {
    put_block(type, half_of(q.scales[b]), q.codes.data() + b * kBlock, out + b * bytes);
    for (std::size_t j = 0; j < kBlock; ++j) weights[b * kBlock + j] = q.codes[b * kBlock + j] * q.scales[b];
  }
  return true;
}

}  // namespace lfm::quantize
