#include <cstddef>
#include "base/memory.h"
