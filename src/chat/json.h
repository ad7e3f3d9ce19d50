// JSON that the application gives, rewritten as the chat forms want it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lfm/result.h"

namespace lfm::chat {

// Objects and lists within each other, in JSON from the application and in a model's calls.
inline constexpr std::size_t kMaxDepth = 64;

// Appends a text as Python's repr() writes it: in single quotes unless there are single quotes and no double ones in
// it.
void append_python_string(std::string_view text, std::string& out);

// The elements of a JSON array of objects, each as Python's json.dumps(ensure_ascii=False) writes it: `{"a": 1, "b":
// [true, null]}`. Keys stay in order, and numbers as they are spelt. kArgument with `field`: no JSON (with the offset),
// no array, an element that is no object (with its index), a key twice in an object, nested deeper than kMaxDepth.
Result<std::vector<std::string>> read_objects(std::string_view json, const std::string& field);

// A member of an object, its value written as the argument of a call in Python: "city" and "'Paris'". Objects are
// written as JSON, and strings without escapes where they need none, as LFM2.5's template does it.
struct Argument {
  std::string name;
  std::string value;
};

// The members of a JSON object. Errors as of read_objects().
Result<std::vector<Argument>> read_arguments(std::string_view json, const std::string& field);

}  // namespace lfm::chat
