// Exponential and logarithm with the same bits on every platform, which those of C libraries don't have.
#pragma once

namespace lfm::engine {

// Probabilities below e^kNegligible of the best: all of a vocabulary's together are less than 2^-53.
inline constexpr double kNegligible = -64.0;

// e^x for x in [kNegligible, 0].
double exponential(double x) noexcept;

// For normal numbers above 0.
double logarithm(double x) noexcept;

}  // namespace lfm::engine
