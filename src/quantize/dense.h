// Linear algebra by Eigen. All matrices are row-major and contiguous but where a stride is given. The sums' order
// depends on the sizes alone, so that who cuts work the same way gets the same bits from any number of threads.
#pragma once

#include <cstddef>

#include "kernels/isa.h"

namespace lfm::quantize {

struct Dense {
  // out (n, m) = a (n, k) b (m, k)^T
  void (*rows)(const float* a, std::size_t n, const float* b, std::size_t m, std::size_t k, float* out);

  // out (n, m) = a (n, k) b (k, m)
  void (*product)(const float* a, std::size_t n, const float* b, std::size_t m, std::size_t k, float* out);

  // Of out (k, k) += x (tokens, k)^T y (tokens, k), the part of `rows` rows and `columns` columns at (row, column).
  void (*cross)(const float* x, const float* y, std::size_t tokens, std::size_t k, std::size_t row, std::size_t rows,
                std::size_t column, std::size_t columns, float* out);

  // The upper factor u of the inverse, (h + damping I)^-1 = u^T u, in double precision. False where h isn't positive.
  bool (*factor)(const float* h, std::size_t k, double damping, float* u);

  // x = a^-1 x for a (n, n), symmetric, which is lost. False where it isn't positive; x is as it was then.
  bool (*solve)(double* a, std::size_t n, double* x);

  // x (k, k) = x u^T u for an upper u
  void (*divide)(float* x, const float* u, std::size_t k);

  // w (n, m) -= e (n, b) u (b, m); rows of e are `apart` apart, those of w and u `stride`
  void (*subtract)(const float* e, std::size_t n, std::size_t b, std::size_t apart, const float* u, std::size_t m,
                   std::size_t stride, float* w);
};

const Dense& dense(kernels::Isa isa) noexcept;

}  // namespace lfm::quantize
