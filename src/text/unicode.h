// The character classes that the pre-tokenizer's pattern asks for.
#pragma once

#include <cstdint>

namespace lfm::text {

enum class CharClass : std::uint8_t {
  kOther,   // none of those below
  kLetter,  // \p{L}: general category L*
  kNumber,  // \p{N}: general category N*
  kSpace,   // \s: property White_Space
};

// Exact for Unicode 16.0.0, the version behind the reference tokenizer; unassigned code points are kOther.
CharClass char_class(char32_t code_point) noexcept;

}  // namespace lfm::text
