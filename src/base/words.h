// Words of messages.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace lfm::base {

// "a, b or c".
inline std::string one_of(std::span<const std::string_view> names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 < names.size() ? ", " : " or ";
    text += names[i];
  }
  return text;
}

}  // namespace lfm::base
