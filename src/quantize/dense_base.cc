#define LFM_DENSE dense_base
#include "quantize/dense.inc"
