// JSON where a text is all there is of it, without nlohmann's header.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lfm::cli {

// As json_line() of json_text.h writes it.
std::string json_string(std::string_view text);

// Nothing where it isn't a JSON string.
std::optional<std::string> read_json_string(std::string_view json);

}  // namespace lfm::cli
