#include "kernels/attention/attention.h"
#include "kernels/vector/lanes_neon.h"

namespace lfm::kernels::neon {
namespace {

constexpr std::size_t kAccumulators = 4;
#include "kernels/attention/attention.inc"

}  // namespace

const AttentionKernels kAttention = kKernels;

}  // namespace lfm::kernels::neon
