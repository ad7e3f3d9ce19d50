// Methods of strings.
#pragma once

#include <string_view>

#include "jinja/arguments.h"
#include "jinja/budget.h"

namespace lfm::jinja {

bool is_string_method(std::string_view name) noexcept;

// Requires is_string_method().
Result<Value> call_string_method(Budget& budget, const Value& self, std::string_view name, const Arguments& arguments);

// A list of strings.
Result<Value> list_of(std::vector<Text> texts, Budget& budget, List::Form form = List::Form::kList);

}  // namespace lfm::jinja
