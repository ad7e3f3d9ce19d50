#include "base/entropy.h"

#include <sys/random.h>
#include <unistd.h>

#include <atomic>
#include <chrono>

namespace lfm::base {

std::uint64_t random_word() noexcept {
  std::uint64_t word = 0;
  if (::getrandom(&word, sizeof word, GRND_NONBLOCK) == static_cast<ssize_t>(sizeof word)) return word;
  static std::atomic<std::uint64_t> calls{0};
  const auto now = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  return now ^ static_cast<std::uint64_t>(::getpid()) << 40 ^ calls.fetch_add(1) * 0x9E3779B97F4A7C15u;
}

}  // namespace lfm::base
