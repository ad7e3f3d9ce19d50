#include <cstring>

#include "kernels/limits/limits.h"

namespace lfm::kernels {
namespace scalar {
namespace {

std::uint64_t read(const std::byte* data, std::size_t bytes) {
  std::uint64_t sums[4] = {};
  for (std::size_t i = 0; i < bytes; i += 32) {
    for (std::size_t j = 0; j < 4; ++j) {
      std::uint64_t word;
      std::memcpy(&word, data + i + 8 * j, 8);
      sums[j] += word;
    }
  }
  return sums[0] + sums[1] + sums[2] + sums[3];
}

std::uint64_t multiply(std::size_t steps) {
  std::uint32_t sums[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  for (std::size_t step = 0; step < steps; ++step) {
    for (std::uint32_t& sum : sums) sum = sum * 3 + 1;
  }
  std::uint64_t total = 0;
  for (const std::uint32_t sum : sums) total += sum;
  return total;
}

}  // namespace

const LimitKernels kLimits{read, multiply, 16};

}  // namespace scalar

const LimitKernels& limit_kernels(Isa isa) noexcept {
#if defined(__x86_64__)
  if (isa == Isa::kAvx512Vnni) return avx512vnni::kLimits;
  if (isa == Isa::kAvx2) return avx2::kLimits;
#endif
  (void)isa;
  return scalar::kLimits;
}

}  // namespace lfm::kernels
