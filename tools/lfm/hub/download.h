// The part of pull() that needs a network; no_download.cc where the program is built without.
#pragma once

#include "hub/cache.h"
#include "hub/pull.h"
#include "hub/transport.h"

namespace lfm::hub {

// Errors as pull().
Result<Pulled> download(const Name& name, const Environment& environment, const Cache& cache,
                        const PullOptions& options);
Result<Pulled> download(Transport& transport, const Name& name, const Environment& environment, const Cache& cache,
                        const PullOptions& options);

}  // namespace lfm::hub
