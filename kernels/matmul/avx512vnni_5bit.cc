// Matmul with vpdpbusd, codes of five bits.
#define LFM_OF_k5Bit(name) LFM_BLOCK_KERNELS(name)
#include "kernels/matmul/avx512vnni_blocks.inc"
