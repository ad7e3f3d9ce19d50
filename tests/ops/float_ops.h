// Operations over float32 matrices on a team of two, to be held against plain loops in double precision.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <span>
#include <vector>

#include "base/memory.h"
#include "kernels/matmul/pack.h"
#include "ops/context.h"

namespace lfm::ops {

inline std::vector<float> random_floats(std::size_t count, float deviation, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, deviation);
  std::vector<float> out(count);
  for (float& x : out) x = normal(random);
  return out;
}

// Some matrices of one shape, one after another, and their weights as they are.
class FloatMatrix {
 public:
  FloatMatrix(std::size_t rows, std::size_t columns, std::uint32_t seed, std::size_t count = 1)
      : weights_(random_floats(count * rows * columns, 1.0f / std::sqrt(static_cast<float>(columns)), seed)) {
    matrix_ = {rows, columns, kernels::FloatFormat::kF32, nullptr};
    packed_ = *base::Memory::allocate(count * matrix_.bytes());
    matrix_.data = packed_.data();
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t row = 0; row < rows; row += kernels::kTileRows) {
        const std::size_t some = std::min(kernels::kTileRows, rows - row);
        const auto* source = reinterpret_cast<const std::byte*>(&weights_[(i * rows + row) * columns]);
        kernels::pack_tile(kernels::FloatFormat::kF32, source, some, columns,
                           packed_.data() + i * matrix_.bytes() + row / kernels::kTileRows * matrix_.tile_bytes());
      }
    }
  }

  const Matrix& get() const { return matrix_; }

  std::vector<double> times(std::span<const double> x, std::size_t which = 0) const {
    std::vector<double> out(matrix_.rows);
    for (std::size_t i = 0; i < matrix_.rows; ++i) {
      for (std::size_t k = 0; k < x.size(); ++k) out[i] += weights_[(which * matrix_.rows + i) * x.size() + k] * x[k];
    }
    return out;
  }

 private:
  std::vector<float> weights_;
  base::Memory packed_;
  Matrix matrix_;
};

inline std::vector<double> rms_norm(std::span<const double> x, std::span<const float> gamma, double eps) {
  double squares = 0;
  for (const double v : x) squares += v * v;
  std::vector<double> out(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    out[i] = x[i] / std::sqrt(squares / static_cast<double>(x.size()) + eps) * gamma[i];
  }
  return out;
}

inline std::vector<double> rms_norm(std::span<const float> x, std::span<const float> gamma, double eps) {
  return rms_norm(std::vector<double>(x.begin(), x.end()), gamma, eps);
}

inline void expect_near(std::span<const double> expected, std::span<const float> actual) {
  ASSERT_EQ(expected.size(), actual.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(expected[i], actual[i], 2e-5 * (1 + std::abs(expected[i]))) << "at " << i;
  }
}

class OnATeam {
 public:
  explicit OnATeam(Dimensions dimensions)
      : workspace((dimensions.threads = 2, *Workspace::create(dimensions))), team_(*base::Team::create(2)) {}

  // Calls body(context) on every member, for a pass of so many rows.
  template <typename Body>
  void run(std::size_t rows, Body&& body) {
    team_.run([&](base::Worker& worker) {
      body(Context{kernels::table(kernels::Isa::kScalar), worker, workspace, nullptr, rows});
    });
  }

  Workspace workspace;

 private:
  base::Team team_;
};

}  // namespace lfm::ops
