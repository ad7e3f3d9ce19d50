#pragma once

#include <atomic>

#if defined(_WIN32)
#include <chrono>
#include <thread>
#endif

namespace lfm::base {

// Sleeps until the value is another one: whoever changes it notifies.
template <typename T>
void sleep_while(const std::atomic<T>& value, T old) noexcept {
#if defined(_WIN32)  // where libstdc++ 12 looks at the value, then locks, then waits, and misses what comes in between
  while (value.load(std::memory_order_acquire) == old) std::this_thread::sleep_for(std::chrono::milliseconds(1));
#else
  value.wait(old, std::memory_order_acquire);
#endif
}

}  // namespace lfm::base
