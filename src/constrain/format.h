// The formats of strings that are held to.
#pragma once

#include <string_view>
#include <vector>

namespace lfm::constrain {

// The pattern of a format, to be matched from end to end; empty for a format that isn't known.
std::string_view format_pattern(std::string_view name);

// Formats of JSON Schema that it wants checked, whether they can be held to or not, which no generation may ignore.
bool is_standard_format(std::string_view name);

}  // namespace lfm::constrain
