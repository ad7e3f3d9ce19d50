// Functions that every C library gives in bits of its own, here the same on every machine: sums, products, quotients
// and square roots in a given order, each rounded as IEEE 754 says.
#pragma once

#include <cstddef>

namespace lfm::kernels {

// 1 / (1 + exp(-x)), exp as in kernels/vector/vector.h. NaN stays NaN.
float sigmoid(float x) noexcept;

// cos and sin of position * base^(-i / half), i < half, as the nearest floats or, for one angle in ten million, their
// neighbours. 1 <= base, position < 2^32.
void rotary_angles(double base, std::size_t position, std::size_t half, float* cos, float* sin) noexcept;

}  // namespace lfm::kernels
