// JSON trees as schemas are compared and pointed into.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "json/value.h"
#include "lfm/result.h"

namespace lfm::constrain {

using Json = json::Value;

// Levels of arrays and objects in a schema.
inline constexpr std::size_t kMaxSchemaDepth = 256;

// kArgument with `field` and the offset: no JSON, or a key twice in an object; kLimit: more than kMaxSchemaDepth
// levels.
Result<Json> parse_json(std::string_view text, const std::string& field);

// Whether two values are the same to JSON Schema: 1 and 1.0 are, members may be in any order.
bool equal(const Json& a, const Json& b);

// The JSON pointer of a value within a tree ("/properties/a"), empty for the tree itself or a stranger.
std::string pointer_to(const Json& root, const Json& value);

// The value at a pointer, or null.
const Json* at_pointer(const Json& root, std::string_view pointer);

}  // namespace lfm::constrain
