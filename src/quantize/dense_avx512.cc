// Names of its own, so that no function of the other copies is taken for one of this.
#define Eigen EigenAvx512
#define LFM_DENSE dense_avx512
#include "quantize/dense.inc"
