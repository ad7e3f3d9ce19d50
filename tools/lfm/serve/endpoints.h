// What isn't a dialect's: how the server and its model are.
#pragma once

#include "serve/routes.h"

namespace lfm::serve {

void get_health(const Call& call);

}  // namespace lfm::serve
