// Comparing two runs of a kernel bit for bit, on random input.
#pragma once

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include "tests/support/guarded_buffer.h"

namespace lfm::test {

class Random {
 public:
  explicit Random(std::uint32_t seed) : engine_(seed) {}

  // from .. to, both included.
  std::size_t between(std::size_t from, std::size_t to) {
    return std::uniform_int_distribution<std::size_t>(from, to)(engine_);
  }
  Edge edge() { return between(0, 1) == 0 ? Edge::kStart : Edge::kEnd; }
  float normal() { return std::normal_distribution<float>()(engine_); }
  float any_bits() { return std::bit_cast<float>(static_cast<std::uint32_t>(engine_())); }

  // Numbers as a network has them.
  void fill(std::span<float> out) {
    for (float& x : out) x = normal();
  }

  // A few of them replaced by what networks should not have: NaN, infinity, zeros of both signs, huge, subnormal.
  void spoil(std::span<float> out) {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    constexpr float kStrange[] = {std::numeric_limits<float>::quiet_NaN(),
                                  kInfinity,
                                  -kInfinity,
                                  0.0f,
                                  -0.0f,
                                  3e38f,
                                  -3e38f,
                                  1e-40f,
                                  1e-30f,
                                  100.0f,
                                  -100.0f};
    for (std::size_t n = between(0, 3); n > 0; --n) {
      out[between(0, out.size() - 1)] = kStrange[between(0, std::size(kStrange) - 1)];
    }
  }

 private:
  std::mt19937 engine_;
};

// The same bits, where any NaN equals any other.
inline bool same_bits(float a, float b) {
  return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b) || (std::isnan(a) && std::isnan(b));
}

inline void expect_same_bits(std::span<const float> expected, std::span<const float> actual) {
  ASSERT_EQ(expected.size(), actual.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_TRUE(same_bits(expected[i], actual[i])) << "at " << i << ": " << expected[i] << " and " << actual[i];
  }
}

// Calls run(kernels, random) with the reference and with another table, from the same seeds, and compares what it
// returns, a vector of floats.
template <class Kernels, class Run>
void expect_same_runs(const Kernels& reference, const Kernels& other, std::uint32_t seeds, Run run) {
  for (std::uint32_t seed = 0; seed < seeds; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Random random(seed), again(seed);
    const std::vector<float> expected = run(reference, random);
    const std::vector<float> actual = run(other, again);
    expect_same_bits(expected, actual);
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace lfm::test
