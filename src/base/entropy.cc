#include "base/entropy.h"

#include <unistd.h>

#include <chrono>
#include <span>

#include "base/system.h"

namespace lfm::base {

std::uint64_t random_word() noexcept {
  std::uint64_t word = 0;
  if (system::random_bytes(std::as_writable_bytes(std::span(&word, 1)))) return word;
  const auto now = static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
  return now ^ static_cast<std::uint64_t>(::getpid()) << 40;
}

}  // namespace lfm::base
