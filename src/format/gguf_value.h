// How GGUF writes down numbers, strings and arrays.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace lfm::format {

// The bytes of a plain number as a file holds them.
template <typename T>
std::string bytes_of(T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// A string as a value or a key holds it: its length, 64 bits, and its bytes.
inline std::string string_bytes(std::string_view text) {
  return bytes_of(std::uint64_t{text.size()}) + std::string(text);
}

// An array as a value holds it: element type, count, elements.
inline std::string array_bytes(std::uint32_t element, std::uint64_t count, std::string_view elements) {
  return bytes_of(element) + bytes_of(count) + std::string(elements);
}

}  // namespace lfm::format
