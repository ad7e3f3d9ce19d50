// Numbers between bounds, as expressions over their decimal spelling.
#pragma once

#include <cstdint>
#include <optional>

#include "constrain/regex/regex.h"
#include "constrain/schema/decimal.h"

namespace lfm::constrain {

struct Bound {
  Decimal value;
  bool exclusive = false;
};

// What a schema asks of a number. Integers are those without a fraction; `fractions` are the other ones.
struct NumberSpec {
  bool integers = true;
  bool fractions = true;
  std::optional<Bound> min = std::nullopt;
  std::optional<Bound> max = std::nullopt;
  std::uint32_t multiple_of = 0;  // of an integer; 0: any
  bool one_spelling = false;      // each number can be written in one way only
};

// Digits before the point, and behind it, unless a bound has more.
inline constexpr std::uint32_t kNumberDigits = 64;

// Both kinds of numbers without bounds may have an exponent of two digits; integers alone and bounded ones have none.
// Behind the point of a bounded number are so few digits that binary fractions of 64 bits order it as decimals do.
RegexId number_regex(RegexPool& pool, const NumberSpec& spec);

}  // namespace lfm::constrain
