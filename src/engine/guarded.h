// No exception crosses the API: the only one that the library's own code meets is a failed allocation.
#pragma once

#include <new>

#include "lfm/result.h"

namespace lfm::engine {

template <typename Body>
auto guarded(Body&& body) -> decltype(body()) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kNoMemory, {}};
  }
}

}  // namespace lfm::engine
