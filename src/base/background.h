// A thread beside those that compute. It takes no signals.
#pragma once

#include <functional>
#include <memory>

#include "lfm/result.h"

namespace lfm::base {

class Background {
 public:
  enum class Priority {
    kLowest,  // runs when nothing else wants the CPU: for work that nobody waits for yet
    kNormal,
  };

  // Calls body() once; it must not throw. kNoMemory where no thread can be started.
  static Result<Background> start(Priority priority, std::function<void()> body);

  Background(Background&&) noexcept;
  Background& operator=(Background&&) = delete;
  ~Background();  // join()

  void join() noexcept;  // waits for the end of body(); a second time does nothing

 private:
  struct State;
  static void* run(void* state);
  explicit Background(std::unique_ptr<State> state) noexcept;
  std::unique_ptr<State> state_;
};

}  // namespace lfm::base
