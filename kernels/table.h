// All kernels of one ISA.
#pragma once

#include "kernels/attention/attention.h"
#include "kernels/isa.h"
#include "kernels/matmul/matmul.h"
#include "kernels/vector/vector.h"

namespace lfm::kernels {

struct Table {
  Isa isa;
  const MatmulKernels& matmul;
  const VectorKernels& vector;
  const AttentionKernels& attention;
};

// The kernels of an ISA. The caller has made sure that the CPU has it.
const Table& table(Isa isa) noexcept;

}  // namespace lfm::kernels
