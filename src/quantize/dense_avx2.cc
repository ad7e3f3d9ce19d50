// Names of its own, so that no function of the other copies is taken for one of this.
#define Eigen EigenAvx2
#define LFM_DENSE dense_avx2
#include "quantize/dense.inc"
