// Sums of x x^T over inputs, or of their squares alone.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/team.h"
#include "quantize/dense.h"

namespace lfm::quantize {

// h of one stream's inputs, and c of both streams', as sums over `count` tokens.
struct Moments {
  enum class Kind : std::uint8_t { kSquares, kOneStream, kTwoStreams };

  std::size_t k = 0;
  double count = 0;
  std::vector<float> h;  // (k, k), or its diagonal
  std::vector<float> c;  // (k, k), or empty

  Moments(std::size_t columns, Kind kind)
      : k(columns),
        h(kind == Kind::kSquares ? columns : columns * columns),
        c(kind == Kind::kTwoStreams ? columns * columns : 0) {}

  // The sums of squares: h's diagonal.
  std::vector<float> squares() const {
    std::vector<float> diagonal(k);
    for (std::size_t i = 0; i < k; ++i) diagonal[i] = h[i * step()];
    return diagonal;
  }
  double trace() const noexcept {
    double sum = 0;
    for (std::size_t i = 0; i < k; ++i) sum += static_cast<double>(h[i * step()]);
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
  std::size_t step() const noexcept { return h.size() == k ? 1 : k + 1; }  // from one of the diagonal to the next
  void add_squares(const float* x, std::size_t tokens) noexcept;
  std::size_t panels() const noexcept;
  void add_panel(const Dense& dense, const float* x, const float* y, std::size_t tokens, std::size_t panel) noexcept;
  void mirror() noexcept;
};

}  // namespace lfm::quantize
