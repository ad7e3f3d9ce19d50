// Filters that make numbers, and those for what isn't there.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/try.h"
#include "jinja/compare.h"
#include "jinja/filters.h"
#include "jinja/operate.h"
#include "jinja/strings.h"

namespace lfm::jinja {
namespace {

Origin origin_of_text(const Text& text) noexcept {
  return text.has_data() ? Origin::kData : Origin::kTemplate;
}

// A number in a text as Python reads it, with blanks around it and "_" within; false where there is none.
template <typename Number, typename... Base>
bool read_number(const Text& text, Number& out, Base... base) {
  std::string digits(stripped(text, nullptr, Sides::kBoth).bytes());
  std::erase(digits, '_');
  std::string_view rest = digits;
  if (rest.starts_with('+')) rest.remove_prefix(1);
  const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), out, base...);
  return !rest.empty() && read.ec == std::errc() && read.ptr == rest.data() + rest.size();
}

Value whole(double value, Origin origin, const Value& otherwise) {
  if (!(std::abs(value) < 0x1p63)) return otherwise;
  return Value::integer(static_cast<std::int64_t>(value), origin);
}

Result<Value> to_integer(Machine&, const Value& input, const Given& given) {
  const Value otherwise = given[0].is(Kind::kUndefined) ? Value::integer(0) : given[0];
  LFM_ASSIGN(const std::int64_t base, integer_of(given[1], 10));
  if (base < 2 || base > 36) return failure("a base that isn't from 2 to 36");
  if (input.is_integral()) return Value::integer(input.integer(), input.origin());
  if (input.is(Kind::kFloat)) return whole(input.number(), input.origin(), otherwise);
  if (!input.is(Kind::kString)) return input.is(Kind::kBigInteger) ? input : otherwise;
  const Origin origin = origin_of_text(input.text());
  std::int64_t integer = 0;
  if (read_number(input.text(), integer, static_cast<int>(base))) return Value::integer(integer, origin);
  double number = 0;
  if (read_number(input.text(), number)) return whole(number, origin, otherwise);
  return otherwise;
}

Result<Value> to_float(Machine&, const Value& input, const Given& given) {
  if (input.is(Kind::kBigInteger) || input.is(Kind::kString)) {
    double number = 0;
    if (read_number(input.text(), number)) return Value::number(number, origin_of_text(input.text()));
  } else if (input.is_number()) {
    return Value::number(input.number(), input.origin());
  }
  return given[0].is(Kind::kUndefined) ? Value::number(0) : given[0];
}

Result<Value> absolute(Machine&, const Value& input, const Given&) {
  if (input.is(Kind::kFloat)) return Value::number(std::abs(input.number()), input.origin());
  if (!input.is_integral()) return failure(std::string("a '") + type_name(input) + "' has no sign");
  if (input.integer() == INT64_MIN) return failure("a number of more than 64 bits");
  return Value::integer(std::abs(input.integer()), input.origin());
}

Result<Value> rounded(Machine&, const Value& input, const Given& given) {
  if (!input.is_number() || input.is(Kind::kBigInteger)) {
    return failure(std::string("a '") + type_name(input) + "' can't be rounded");
  }
  LFM_ASSIGN(const std::int64_t precision, integer_of(given[0], 0));
  const std::string_view method = given[1].is(Kind::kString) ? given[1].bytes() : "common";
  if (method != "common" && method != "ceil" && method != "floor") return failure("a way to round that isn't known");
  if (precision < 0 || precision > 300) return failure("a precision that isn't from 0 to 300");
  if (method == "common") {
    if (input.is_integral()) return Value::integer(input.integer(), input.origin());
    char buffer[700];  // rounded as exactly as it is written
    std::snprintf(buffer, sizeof buffer, "%.*f", static_cast<int>(precision), input.number());
    double out = 0;
    std::from_chars(buffer, buffer + std::char_traits<char>::length(buffer), out);
    return Value::number(out, input.origin());
  }
  const double scale = power_of(10, precision), scaled = input.number() * scale;
  return Value::number((method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / scale, input.origin());
}

Result<Value> otherwise_given(Machine&, const Value& input, const Given& given) {
  if (!input.is(Kind::kUndefined) && (!truth(given[1]) || truth(input))) return input;
  return given[0].is(Kind::kUndefined) ? Value::string(Text()) : given[0];
}

Result<Value> attribute_of(Machine& machine, const Value& input, const Given& given) {
  LFM_ASSIGN(const Text name, string_of(given[0], "attr"));
  if (input.is(Kind::kDict) || input.is(Kind::kNamespace)) return Value();  // of the value itself, not of what it holds
  return machine.attribute(input, std::string(name.bytes()));
}

constexpr Filter kNumberFilters[] = {
    {"int", "default base", to_integer},
    {"float", "default", to_float},
    {"abs", "", absolute},
    {"round", "precision method", rounded},
    {"default", "default_value boolean", otherwise_given},
    {"d", "default_value boolean", otherwise_given},
    {"attr", "name", attribute_of},
};

}  // namespace

std::span<const Filter> number_filters() noexcept {
  return kNumberFilters;
}

}  // namespace lfm::jinja
