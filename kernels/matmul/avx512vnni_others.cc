// Matmul with vpdpbusd, codes of two, six and eight bits, and those of tables.
#define LFM_OF_k2Bit(name) LFM_BLOCK_KERNELS(name)
#define LFM_OF_k6Bit(name) LFM_BLOCK_KERNELS(name)
#define LFM_OF_k8Bit(name) LFM_BLOCK_KERNELS(name)
#define LFM_OF_k4BitTable(name) LFM_BLOCK_KERNELS(name)
#define LFM_OF_k4BitFloat(name) LFM_BLOCK_KERNELS(name)
#include "kernels/matmul/avx512vnni_blocks.inc"
