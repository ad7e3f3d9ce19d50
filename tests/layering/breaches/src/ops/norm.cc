  #  include "model/config.h"
#include <cmath>
