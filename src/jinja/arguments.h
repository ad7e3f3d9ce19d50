// What a call is given.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jinja/value.h"
#include "lfm/result.h"

namespace lfm::jinja {

struct Arguments {
  std::vector<Value> list = {};
  std::vector<std::pair<std::string, Value>> named = {};

  // The arguments in the order of these names, separated by blanks; those that aren't given are undefined.
  // kUnsupported: one that isn't among them, twice, or too many.
  Result<std::vector<Value>> bind(std::string_view names) const;
};

// Numbers that are given as arguments; kUnsupported where they aren't such. `otherwise`: where it isn't given.
Result<std::int64_t> integer_of(const Value& value, std::int64_t otherwise);
Result<Text> string_of(const Value& value, const char* what);

}  // namespace lfm::jinja
