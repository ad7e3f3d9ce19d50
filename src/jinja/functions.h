// Functions that templates find without having defined them.
#pragma once

#include <string_view>

#include "jinja/machine.h"

namespace lfm::jinja {

bool is_function(std::string_view name) noexcept;

// Requires is_function().
Result<Value> call_function(Machine& machine, std::string_view name, const Arguments& arguments);

// The values of a list, the keys of a mapping, the characters of a string, as a list. kUnsupported: there are none.
Result<Value> elements(const Value& of, Budget& budget);

}  // namespace lfm::jinja
