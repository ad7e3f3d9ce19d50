// Matmul with vpdpbusd, codes of four bits.
#define LFM_OF_k4Bit(name) LFM_BLOCK_KERNELS(name)
#include "kernels/matmul/avx512vnni_blocks.inc"
