#include "kernels/attention/attention.h"
#include "kernels/vector/lanes_avx2.h"

namespace lfm::kernels::avx2 {
namespace {

constexpr std::size_t kAccumulators = 4;
#include "kernels/attention/attention.inc"

}  // namespace

const AttentionKernels kAttention = kKernels;

}  // namespace lfm::kernels::avx2
