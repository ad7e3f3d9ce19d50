// Methods of strings, lists, mappings and loops.
#pragma once

#include <string_view>

#include "jinja/arguments.h"
#include "jinja/machine.h"

namespace lfm::jinja {

bool is_method(const Value& self, std::string_view name) noexcept;

// Requires is_method().
Result<Value> call_method(Machine& machine, const Value& self, std::string_view name, const Arguments& arguments);

}  // namespace lfm::jinja
