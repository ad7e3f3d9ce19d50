#include "jinja/arguments.h"

#include "base/try.h"
#include "jinja/compare.h"

namespace lfm::jinja {

Result<std::vector<Value>> Arguments::bind(std::string_view names) const {
  std::vector<Value> out;
  std::size_t used = 0;
  for (std::size_t at = 0; at < names.size();) {
    const std::string_view name = names.substr(at, names.find(' ', at) - at);
    at += name.size() + 1;
    Value value;
    if (out.size() < list.size()) {
      value = list[out.size()];
      ++used;
    }
    for (const auto& [each, given] : named) {
      if (each != name) continue;
      if (out.size() < list.size()) return failure("the argument '" + each + "' is there twice");
      value = given;
      ++used;
    }
    out.push_back(std::move(value));
  }
  if (used < list.size() + named.size()) {
    return failure(list.size() > out.size() ? "too many arguments" : "an argument that isn't known");
  }
  return out;
}

Result<std::int64_t> integer_of(const Value& value, std::int64_t otherwise) {
  if (value.is(Kind::kUndefined) || value.is(Kind::kNone)) return otherwise;
  if (!value.is_integral()) return failure(std::string("expected a whole number, not a '") + type_name(value) + "'");
  return value.integer();
}

Result<Text> string_of(const Value& value, const char* what) {
  if (!value.is(Kind::kString))
    return failure(std::string(what) + " expects a string, not a '" + type_name(value) + "'");
  return value.text();
}

}  // namespace lfm::jinja
