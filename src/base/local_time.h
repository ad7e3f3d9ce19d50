#pragma once

#include <ctime>
#include <optional>

namespace lfm::base {

// Now, as clocks on the wall show it; nullopt where the system doesn't tell.
inline std::optional<std::tm> local_time() noexcept {
  const std::time_t time = std::time(nullptr);
  std::tm local = {};
#if defined(_WIN32)
  if (::localtime_s(&local, &time) != 0) return std::nullopt;
#else
  if (::localtime_r(&time, &local) == nullptr) return std::nullopt;
#endif
  return local;
}

}  // namespace lfm::base
