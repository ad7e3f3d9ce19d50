#include "kernels/matmul/layout.h"
#include "kernels/vector/lanes_avx2.h"
#include "kernels/vector/vector.h"

namespace lfm::kernels::avx2 {
namespace {

#include "kernels/vector/vector.inc"

}  // namespace

const VectorKernels kVector{rms_norm, quantize_act, quantize_row, swiglu, add_scaled, add, rope, short_conv, read};

}  // namespace lfm::kernels::avx2
