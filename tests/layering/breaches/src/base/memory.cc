#include <xnnpack.h>
#include "kernels/isa.h"
