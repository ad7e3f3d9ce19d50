// Error feedback onto a grid (GPTQ): what rounding one column does to the outputs, the columns behind it make good.
//
// h is the mean of x x^T over inputs x as the quantised network has them. Where the weights are wanted for other inputs
// x' of the float network, W* = W + W (c - h) h^-1 with c the mean of x' x^T has the outputs that come nearest to W x'.
#pragma once

#include <cstddef>
#include <vector>

#include "format/tensor_type.h"
#include "quantize/dense.h"
#include "quantize/grid.h"

namespace lfm::quantize {

class Feedback {
 public:
  // h, c: (k, k); an empty c is h. Damped by a hundredth of h's mean diagonal, and more where that isn't enough.
  Feedback(const Dense& dense, std::size_t k, std::vector<float> h, std::vector<float> c);

  // Quantises rows of weights (n, k) to `type`, which has blocks of one scale; afterwards `weights` are what `out`
  // holds. Any number of rows may be done by different threads. False where a scale is beyond the type.
  bool quantize(format::TensorType type, float* weights, std::size_t n, std::byte* out) const;

 private:
  struct Quantised {
    std::vector<float> codes;   // (n, k)
    std::vector<float> scales;  // (n, k / 32), as sixteen bits hold them
  };
  void aim(float* weights, std::size_t n) const;
  void refit(Quantised& q, const float* wanted, std::size_t n, float* gradient) const;
  void descend(const Grid& grid, Quantised& q, std::size_t n, float* gradient) const;

  const Dense& dense_;
  std::size_t k_;
  std::vector<float> h_;      // damped
  std::vector<float> u_;      // upper factor of its inverse
  std::vector<float> shift_;  // c - h, or empty
};

}  // namespace lfm::quantize
