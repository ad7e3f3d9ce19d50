// Operators between two values.
#pragma once

#include <cstdint>

#include "jinja/budget.h"
#include "jinja/node.h"
#include "jinja/value.h"

namespace lfm::jinja {

// All but kEqual to kNotIn.
Result<Value> operate(Operator op, const Value& a, const Value& b, Budget& budget);
Result<Value> negated(const Value& value);

// By multiplication, so that it is the same everywhere.
double power_of(double base, std::int64_t exponent) noexcept;

// Python's "%" of strings: %s, %r, %d, %i, %x, %f with precision, %%.
Result<Value> formatted(const Text& format, const Value& values, Budget& budget);

}  // namespace lfm::jinja
