// JSON from outside. nlohmann's, which takes seconds to compile: headers of ours have no JSON in them.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "lfm/result.h"

namespace lfm::cli {

using Json = nlohmann::ordered_json;

// Parses a text, whatever it is; nothing nests deeper than 64, and no key is there twice in an object. kFormat with the
// offset.
Result<Json> parse_json(std::string_view text);

// In one line; what isn't UTF-8 becomes U+FFFD, and all that isn't ASCII an escape, so that it is fit for any terminal.
std::string json_line(const Json& json);

}  // namespace lfm::cli
