#include "text/unicode.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>

namespace lfm::text {
namespace {

// Each entry opens a run of code points of one class: first << 2 | class, in ascending order, from U+0000 on.
constexpr std::uint32_t kRuns[] = {
#include "text/unicode_tables.inc"
};

CharClass look_up(char32_t code_point) noexcept {
  const auto key = static_cast<std::uint32_t>(code_point) << 2 | 3;
  const auto* after = std::upper_bound(std::begin(kRuns), std::end(kRuns), key);
  return static_cast<CharClass>(*(after - 1) & 3);
}

constexpr std::array<CharClass, 128> ascii_classes() {
  std::array<CharClass, 128> classes = {};
  for (std::size_t c = 0; c < classes.size(); ++c) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) classes[c] = CharClass::kLetter;
    if (c >= '0' && c <= '9') classes[c] = CharClass::kNumber;
    if (c == ' ' || (c >= '\t' && c <= '\r')) classes[c] = CharClass::kSpace;
  }
  return classes;
}

}  // namespace

CharClass char_class(char32_t code_point) noexcept {
  static constexpr auto kAscii = ascii_classes();
  return code_point < kAscii.size() ? kAscii[code_point] : look_up(code_point);
}

}  // namespace lfm::text
