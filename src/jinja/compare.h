// How values compare, as Python has it.
#pragma once

#include "jinja/budget.h"
#include "jinja/value.h"

namespace lfm::jinja {

bool truth(const Value& value) noexcept;

bool equal(const Value& a, const Value& b, Budget& budget);

// Less than, equal to or greater than 0; kUnsupported where there is no order.
Result<int> order(const Value& a, const Value& b, Budget& budget);

// x in container. kUnsupported where it can't hold anything.
Result<bool> contains(const Value& container, const Value& x, Budget& budget);

// "str", "int", "list": what errors call a kind.
const char* type_name(const Value& value) noexcept;

// Errors whose line isn't known yet.
Error failure(std::string message);
Error is_undefined(const Value& value);

}  // namespace lfm::jinja
