// No exception of the library's own crosses the API, which are those of memory that there isn't; and whatever the
// application has set its floating point to, the arithmetic inside is the same.
#pragma once

#include <new>
#include <stdexcept>

#include "base/float_mode.h"
#include "lfm/result.h"

namespace lfm::engine {

inline constexpr const char* kBusy = "is busy with a call of another thread, or with the one that this comes from";

template <typename Body>
auto guarded(Body&& body) -> decltype(body()) {
  const base::DefaultFloatMode mode;
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kNoMemory, {}};
  } catch (const std::length_error&) {
    return Error{ErrorCode::kNoMemory, "more than memory can hold"};
  }
}

}  // namespace lfm::engine
