// What every call of a session has in common.
#pragma once

#include <utility>

#include "api/guarded.h"
#include "engine/session/session.h"

namespace lfm::engine {

// guarded() for the calls of a session: one at a time, and none from a callback that keeps the team from working. The
// session is left in order, also by what a callback throws.
template <typename Body>
auto alone(SessionState& state, Body&& body) -> decltype(body()) {
  if (Status here = state.model().check_process(); !here.ok()) return std::move(here).error();
  const SessionState::Use use(state);
  if (!use.granted()) return Error{ErrorCode::kState, kBusy, "session"};
  return guarded([&] {
    try {
      return body();
    } catch (...) {
      state.settle();
      throw;
    }
  });
}

}  // namespace lfm::engine
