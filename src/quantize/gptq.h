// Error feedback onto a grid (GPTQ): what rounding one column does to the outputs, the columns behind it make good.
//
// h is the mean of x x^T over inputs x as the quantised network has them. Where the weights are wanted for other inputs
// x' of the float network, W* = W + W (c - h) h^-1 with c the mean of x' x^T has the outputs that come nearest to W x'.
#pragma once

#include <cstddef>
#include <vector>

#include "format/tensor_type.h"
#include "quantize/blocks/blocks.h"
#include "quantize/dense.h"

namespace lfm::quantize {

class Feedback {
 public:
  // h, c: (k, k); an empty c is h. Damped by a hundredth of h's mean diagonal, and more where that isn't enough.
  Feedback(const Dense& dense, std::size_t k, std::vector<float> h, std::vector<float> c);

  // Quantises rows of weights (n, k) to `type`, which has a grid; afterwards `weights` are what `out` holds. Any number
  // of rows may be done by different threads. False where a scale is beyond the type.
  bool quantize(format::TensorType type, float* weights, std::size_t n, std::byte* out) const;

 private:
  // Rows on their way to codes.
  struct Quantised {
    format::TensorType type;
    const Grid& grid;
    std::size_t n;                    // rows
    std::size_t runs;                 // of a row: columns of one scale
    std::vector<float> codes;         // (n, k)
    std::vector<BlockScales> blocks;  // (n, blocks)
    std::vector<Scale> scales;        // (n, runs), as the blocks have them

    Quantised(format::TensorType of, std::size_t rows, std::size_t k);
    void weights_of(std::size_t row, float* weights) const noexcept;
  };
  void aim(float* weights, std::size_t n) const;
  bool choose(Quantised& q, const float* w, std::size_t block) const;
  bool feed_back(Quantised& q, std::vector<float> w) const;
  void feed_back(Quantised& q, std::size_t row, std::size_t first, float* w, float* errors) const;
  void take_away(const Quantised& q, const float* weights, float* left) const;
  void refit(Quantised& q, const float* left) const;
  void descend(Quantised& q, float* left) const;

  const Dense& dense_;
  std::size_t k_;
  std::vector<float> h_;      // damped
  std::vector<float> u_;      // upper factor of its inverse
  std::vector<float> shift_;  // (c - h) h^-1, or empty
};

}  // namespace lfm::quantize
