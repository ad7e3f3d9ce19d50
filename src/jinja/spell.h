// Values as text: as Python's str() and repr() have it, and json.dumps().
#pragma once

#include <optional>
#include <string>

#include "jinja/budget.h"
#include "jinja/value.h"

namespace lfm::jinja {

// "1.5", "1e+16", "inf": the shortest digits that mean the same number.
std::string float_text(double value);

// Appends str(value), each byte with its origin; what stands between the elements of lists and mappings counts as data.
// kUnsupported: a value that has no text.
Status append_str(const Value& value, Budget& budget, Text& out);
Status append_repr(const Value& value, Budget& budget, Text& out);
Result<Text> to_text(const Value& value, Budget& budget);

struct JsonStyle {
  bool ensure_ascii = false;
  bool sort_keys = false;
  std::optional<std::string> indent = {};  // of one level
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};

// kUnsupported: what JSON doesn't have.
Status append_json(const Value& value, const JsonStyle& style, Budget& budget, Text& out);

}  // namespace lfm::jinja
