// The C library's fmaf() in mingw-w64 rounds twice; this one takes its place, and rounds once.
#include <cmath>
#include <cstdint>
#include <cstring>

extern "C" float fmaf(float a, float b, float c) {
  const double product = static_cast<double>(a) * b;  // exact
  double sum = product + c;
  if (!std::isfinite(sum)) return static_cast<float>(sum);
  // What the sum lacks makes its last bit odd, so that no float lies where rounding it again would err.
  const double other = sum - product, lacks = (product - (sum - other)) + (c - other);
  std::uint64_t bits;
  std::memcpy(&bits, &sum, sizeof bits);
  if (lacks != 0 && (bits & 1) == 0) bits += (lacks > 0) == (sum > 0) ? 1 : -1;
  std::memcpy(&sum, &bits, sizeof bits);
  return static_cast<float>(sum);
}
