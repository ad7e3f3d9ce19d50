// JSON as it is written.
#pragma once

#include <string>
#include <string_view>

#include "json/value.h"

namespace lfm::json {

// Line breaks, tabs and backslashes, which Python escapes as JSON does. False, and nothing is appended: another.
bool escape_shared(char32_t c, std::string& out);

// Quoted, with `"`, `\` and control characters escaped and everything else as it is.
void append_text(std::string_view text, std::string& out);

// Without white space.
void append_value(const Value& value, std::string& out);

}  // namespace lfm::json
