// kernels/matmul/avxvnni.cc under another name.
#include "tests/kernels/evex/evex.h"

#define avxvnni avxvnni_evex
#include "kernels/matmul/avxvnni.cc"
