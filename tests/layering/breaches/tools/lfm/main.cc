#include "command.h"
#include "lfm/result.h"
#include "base/memory.h"
