#include "serve/sessions.h"

#include <algorithm>

namespace lfm::serve {

Result<Session> Sessions::take(std::span<const TokenId> tokens) {
  const auto common = [tokens](const Session& session) {
    const auto has = session.tokens();
    const auto end = std::mismatch(has.begin(), has.end(), tokens.begin(), tokens.end());
    return static_cast<std::size_t>(end.first - has.begin());
  };
  {
    const std::lock_guard lock(mutex_);
    const auto best = std::max_element(waiting_.begin(), waiting_.end(),
                                       [&](const Session& a, const Session& b) { return common(a) < common(b); });
    if (best != waiting_.end() && (common(*best) > 0 || waiting_.size() >= most_)) {
      Session session = std::move(*best);
      waiting_.erase(best);
      return session;
    }
  }
  return engine_.new_session(options_);
}

void Sessions::give(Session session) {
  std::list<Session> gone;  // freed without the lock
  const std::lock_guard lock(mutex_);
  waiting_.push_front(std::move(session));
  while (waiting_.size() > most_) gone.splice(gone.end(), waiting_, std::prev(waiting_.end()));
}

std::size_t Sessions::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

}  // namespace lfm::serve
