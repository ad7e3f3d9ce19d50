// AVX-VNNI's kernels in AVX-512's coding of the same instructions: they run where Isa::kAvx512Vnni does.
#pragma once

#include "kernels/matmul/matmul.h"

namespace lfm::kernels::avxvnni_evex {
extern const MatmulKernels kMatmul;
}
