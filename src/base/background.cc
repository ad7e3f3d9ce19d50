#include "base/background.h"

#include <pthread.h>

#include <utility>

#include "base/system.h"
#include "base/unsignalled.h"

namespace lfm::base {

struct Background::State {
  Priority priority;
  std::function<void()> body;
  pthread_t thread{};
  bool running = false;
};

void* Background::run(void* state) {
  const auto& own = *static_cast<const State*>(state);
  if (own.priority == Priority::kLowest) system::step_back();
  own.body();
  return nullptr;
}

Result<Background> Background::start(Priority priority, std::function<void()> body) {
  auto state = std::make_unique<State>();
  state->priority = priority;
  state->body = std::move(body);
  const Unsignalled meanwhile;
  if (::pthread_create(&state->thread, nullptr, run, state.get()) != 0)
    return Error{ErrorCode::kNoMemory, "the system starts no further thread"};
  state->running = true;
  return Background(std::move(state));
}

Background::Background(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Background::Background(Background&&) noexcept = default;

Background::~Background() {
  if (state_ != nullptr) join();
}

void Background::join() noexcept {
  if (!std::exchange(state_->running, false)) return;
  ::pthread_join(state_->thread, nullptr);
}

}  // namespace lfm::base
