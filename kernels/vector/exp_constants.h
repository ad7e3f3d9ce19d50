// Constants of exp as vector.h defines it; exp_scalar.h and exp.inc are its forms.
#pragma once

namespace lfm::kernels {
namespace exp_constants {

constexpr float kLow = -87.0f;  // the result stays a normal number
constexpr float kHigh = 88.0f;

constexpr float kLog2E = 0x1.715476p+0f;
constexpr float kLn2High = 0x1.63p-1f;  // 9 bits: n * ln2_high is exact
constexpr float kLn2Low = -0x1.bd0106p-13f;

// Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
constexpr float kRound = 0x1.8p+23f;

// 1 + r + kC2 r^2 + ... + kC6 r^6: least greatest relative error for |r| <= ln(2) / 2, which is 8e-9. The Taylor
// polynomial of the same degree has 1.7e-7.
constexpr float kC2 = 0x1.fffffcp-2f;
constexpr float kC3 = 0x1.55548cp-3f;
constexpr float kC4 = 0x1.555858p-5f;
constexpr float kC5 = 0x1.123deep-7f;
constexpr float kC6 = 0x1.6b45a0p-10f;

}  // namespace exp_constants
}  // namespace lfm::kernels
