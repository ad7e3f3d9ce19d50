// What methods and filters do to strings; every byte keeps its origin.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "jinja/budget.h"
#include "jinja/text.h"

namespace lfm::jinja {

Text upper(const Text& text);
Text lower(const Text& text);
Text capitalized(const Text& text);
Text titled(const Text& text, bool as_filter);  // the filter knows fewer places where words begin

enum class Sides : std::uint8_t { kLeft, kRight, kBoth };
Text stripped(const Text& text, const std::string_view* chars, Sides sides);

inline constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

// kLimit. `most`: how many are replaced.
Result<Text> replaced(const Text& text, std::string_view what, const Text& with, std::size_t most, Budget& budget);

// At a separator, or at white space where it is null; `most` cuts, from the right where that is wanted.
std::vector<Text> split(const Text& text, const std::string_view* separator, std::size_t most, bool from_right);
std::vector<Text> split_lines(const Text& text, bool keep_ends);

}  // namespace lfm::jinja
