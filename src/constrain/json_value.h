// JSON as a tree that keeps what schemas need: the order of members and how numbers are spelt.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lfm/result.h"

namespace lfm::constrain {

struct Json {
  enum class Type : std::uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };
  using Member = std::pair<std::string, Json>;

  Type type = Type::kNull;
  bool boolean = false;
  std::string text = {};  // of a string; of a number its spelling
  std::vector<Json> items = {};
  std::vector<Member> members = {};

  bool is(Type t) const noexcept { return type == t; }
  bool is_object() const noexcept { return type == Type::kObject; }
  bool is_true() const noexcept { return type == Type::kBoolean && boolean; }
  bool is_false() const noexcept { return type == Type::kBoolean && !boolean; }
  const Json* find(std::string_view name) const noexcept;  // a member's value or null
};

// Levels of arrays and objects in a schema.
inline constexpr std::size_t kMaxSchemaDepth = 256;

// kArgument with `field` and the offset: no JSON, or a key twice in an object; kLimit: more than kMaxSchemaDepth levels.
Result<Json> parse_json(std::string_view text, const std::string& field);

// Whether two values are the same to JSON Schema: 1 and 1.0 are, members may be in any order.
bool equal(const Json& a, const Json& b);

// The JSON pointer of a value within a tree ("/properties/a"), empty for the tree itself or a stranger.
std::string pointer_to(const Json& root, const Json& value);

// The value at a pointer, or null.
const Json* at_pointer(const Json& root, std::string_view pointer);

}  // namespace lfm::constrain
