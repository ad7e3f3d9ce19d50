// Names of functions and of their arguments.
#pragma once

#include <string_view>

#include "chat/value.h"

namespace lfm::chat {

constexpr bool is_name_byte(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

constexpr bool is_function_byte(char c) noexcept {
  return is_name_byte(c) || c == '.' || c == '-' || c == '/' || c == ':';
}

// Bytes at the beginning of `text` that are a name.
template <typename Is>
std::size_t name_length(std::string_view text, Is is_byte) noexcept {
  if (text.empty() || !is_name_byte(text[0]) || (text[0] >= '0' && text[0] <= '9')) return 0;
  std::size_t length = 1;
  while (length < text.size() && is_byte(text[length])) ++length;
  return length;
}

// The name here, behind which the reader stands then; empty where none begins.
template <typename Is>
std::string_view take_name(Reader& in, Is is_byte) {
  const std::string_view rest = in.rest();
  const std::size_t length = name_length(rest, is_byte);
  in.skip(length);
  return rest.substr(0, length);
}

}  // namespace lfm::chat
