#include "kernels/matmul/layout.h"
#include "kernels/vector/lanes_neon.h"
#include "kernels/vector/vector.h"

namespace lfm::kernels::neon {
namespace {

#include "kernels/vector/vector.inc"

}  // namespace

const VectorKernels kVector{rms_norm, quantize_act, quantize_row, swiglu, add_scaled, add, rope, short_conv, read};

}  // namespace lfm::kernels::neon
