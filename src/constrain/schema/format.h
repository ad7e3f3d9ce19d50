// The formats of strings that are held to.
#pragma once

#include <string_view>

namespace lfm::constrain {

// The pattern of a format, to be matched from end to end; empty for a format that isn't known.
std::string_view format_pattern(std::string_view name);

}  // namespace lfm::constrain
