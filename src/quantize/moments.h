// Sums of x x^T over inputs, for error feedback.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/team.h"
#include "quantize/dense.h"

namespace lfm::quantize {

// h of one stream's inputs, and c of both streams' (empty where there is one), as sums over `count` tokens.
struct Moments {
  std::size_t k = 0;
  double count = 0;
  std::vector<float> h, c;

  Moments(std::size_t columns, bool two) : k(columns), h(columns * columns), c(two ? columns * columns : 0) {}

  // The sums of squares: h's diagonal.
  std::vector<float> squares() const {
    std::vector<float> diagonal(k);
    for (std::size_t i = 0; i < k; ++i) diagonal[i] = h[i * (k + 1)];
    return diagonal;
  }
  double trace() const noexcept {
    double sum = 0;
    for (std::size_t i = 0; i < k; ++i) sum += static_cast<double>(h[i * (k + 1)]);
    return sum;
  }

  // Towards `other`, as if there were `weight` tokens more that looked like it; then means.
  void shrink(const Moments& other, double weight) noexcept;
  // Likewise towards what has no directions.
  void shrink(double weight) noexcept;
  void to_means() noexcept;

  // Adds tokens: x of the stream that is quantised, y of the float one.
  void add(const Dense& dense, const float* x, const float* y, std::size_t tokens) noexcept;
  void add(const Dense& dense, const float* x, const float* y, std::size_t tokens, lfm::base::Team& team);

 private:
  std::size_t panels() const noexcept;
  void add_panel(const Dense& dense, const float* x, const float* y, std::size_t tokens, std::size_t panel) noexcept;
  void mirror() noexcept;
};

}  // namespace lfm::quantize
