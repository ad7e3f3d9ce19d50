#include "kernels/attention/attention.h"
#include "kernels/vector/lanes_avx512.h"

namespace lfm::kernels::avx512vnni {
namespace {

constexpr std::size_t kAccumulators = 16;
#include "kernels/attention/attention.inc"

}  // namespace

const AttentionKernels kAttention = kKernels;

}  // namespace lfm::kernels::avx512vnni
