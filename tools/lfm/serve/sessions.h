// Sessions that wait for the conversation to go on.
#pragma once

#include <cstddef>
#include <list>
#include <mutex>
#include <span>

#include "lfm/engine.h"

namespace lfm::serve {

// From any number of threads.
class Sessions {
 public:
  Sessions(Engine engine, SessionOptions options, std::size_t most)
      : engine_(std::move(engine)), options_(options), most_(most) {}

  // The one that has most of these tokens, or a new one. kNoMemory
  Result<Session> take(std::span<const TokenId> tokens);

  // Keeps a session for later; the one that has waited longest goes where there are too many.
  void give(Session session);

  std::size_t waiting() const;

 private:
  const Engine engine_;
  const SessionOptions options_;
  const std::size_t most_;
  mutable std::mutex mutex_;
  std::list<Session> waiting_;  // the one that came last is first
};

}  // namespace lfm::serve
