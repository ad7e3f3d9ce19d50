// JSON from outside. nlohmann's, which takes seconds to compile: headers of ours have no JSON in them.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "lfm/result.h"

namespace lfm::cli {

using Json = nlohmann::ordered_json;

struct JsonLimits {
  int depth = 64;
  std::size_t members = 1 << 20;  // of an object; the time to read one goes with their square
};

// Parses a text, whatever it is; nothing nests deeper than the limit, and no key is there twice in an object. kFormat
// with the offset.
Result<Json> parse_json(std::string_view text, const JsonLimits& limits);
inline Result<Json> parse_json(std::string_view text) {
  return parse_json(text, JsonLimits{});
}

// In one line; what isn't UTF-8 becomes U+FFFD, and all that isn't ASCII an escape, so that it is fit for any terminal.
std::string json_line(const Json& json);

}  // namespace lfm::cli
