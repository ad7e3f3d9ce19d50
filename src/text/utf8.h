// UTF-8, one code point at a time, in bytes that may be anything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lfm::text {

inline constexpr char32_t kReplacementCharacter = U'\uFFFD';

enum class Utf8Form : std::uint8_t {
  kWhole,      // a well-formed code point
  kBroken,     // ill formed whatever may follow
  kTruncated,  // the text ends before the code point does
};

struct CodePoint {
  char32_t value;      // U+FFFD unless whole
  std::size_t length;  // in bytes, at least 1; of the maximal subpart (Unicode 16, section 3.9) unless whole
  Utf8Form form;
};

// The code point at text[at]; requires at < text.size(). Overlong forms, surrogates and values over U+10FFFF are
// broken.
CodePoint decode_utf8(std::string_view text, std::size_t at) noexcept;

bool is_utf8(std::string_view text) noexcept;

// Of a code point up to U+10FFFF.
void append_utf8(char32_t c, std::string& out);

}  // namespace lfm::text
