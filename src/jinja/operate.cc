#include "jinja/operate.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/try.h"
#include "jinja/compare.h"
#include "jinja/spell.h"

namespace lfm::jinja {
namespace {

Origin origin_of(const Value& a, const Value& b) noexcept {
  return a.origin() == Origin::kData || b.origin() == Origin::kData ? Origin::kData : Origin::kTemplate;
}

Error no_operation(const Value& a, const Value& b) {
  return failure(std::string("'") + type_name(a) + "' and '" + type_name(b) + "' don't go together here");
}

Error too_large() {
  return failure("a number of more than 64 bits");
}

Result<Value> of_floats(Operator op, double a, double b, Origin origin) {
  switch (op) {
    case Operator::kAdd:
      return Value::number(a + b, origin);
    case Operator::kSubtract:
      return Value::number(a - b, origin);
    case Operator::kMultiply:
      return Value::number(a * b, origin);
    case Operator::kPower:
      if (b != std::floor(b) || std::abs(b) > 1e6) return failure("a power that isn't a whole one");
      return Value::number(power_of(a, static_cast<std::int64_t>(b)), origin);
    default:
      break;
  }
  if (b == 0) return failure("a division by zero");
  if (op == Operator::kDivide) return Value::number(a / b, origin);
  if (op == Operator::kFloorDivide) return Value::number(std::floor(a / b), origin);
  const double rest = std::fmod(a, b);
  return Value::number(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest, origin);
}

Result<Value> power(std::int64_t base, std::int64_t exponent, Origin origin) {
  if (exponent < 0)
    return of_floats(Operator::kPower, static_cast<double>(base), static_cast<double>(exponent), origin);
  std::int64_t out = 1;
  if (base == 0 || base == 1) return Value::integer(exponent == 0 ? 1 : base, origin);
  if (base == -1) return Value::integer(exponent % 2 == 0 ? 1 : -1, origin);
  for (std::int64_t i = 0; i < exponent; ++i) {
    if (__builtin_mul_overflow(out, base, &out)) return too_large();
  }
  return Value::integer(out, origin);
}

Result<Value> of_integers(Operator op, std::int64_t a, std::int64_t b, Origin origin) {
  std::int64_t out = 0;
  switch (op) {
    case Operator::kAdd:
      if (__builtin_add_overflow(a, b, &out)) return too_large();
      return Value::integer(out, origin);
    case Operator::kSubtract:
      if (__builtin_sub_overflow(a, b, &out)) return too_large();
      return Value::integer(out, origin);
    case Operator::kMultiply:
      if (__builtin_mul_overflow(a, b, &out)) return too_large();
      return Value::integer(out, origin);
    case Operator::kPower:
      return power(a, b, origin);
    case Operator::kDivide:
      return of_floats(op, static_cast<double>(a), static_cast<double>(b), origin);
    default:
      break;
  }
  if (b == 0) return failure("a division by zero");
  if (b == -1) {  // whose quotient may be too large
    if (op == Operator::kModulo) return Value::integer(0, origin);
    return of_integers(Operator::kSubtract, 0, a, origin);
  }
  const std::int64_t rest = a % b;
  const bool down = rest != 0 && (rest < 0) != (b < 0);
  if (op == Operator::kFloorDivide) return Value::integer(a / b - (down ? 1 : 0), origin);
  return Value::integer(down ? rest + b : rest, origin);
}

Result<Value> repeated(const Value& what, std::int64_t times, Budget& budget) {
  const auto n = static_cast<std::size_t>(std::max<std::int64_t>(times, 0));
  if (what.is(Kind::kString)) {
    const std::size_t size = what.text().size();
    if (size > 0 && n > (std::size_t{1} << 40) / size) return failure("a text that is too long");
    LFM_TRY(budget.check(n * size));
    Text out;
    for (std::size_t i = 0; i < (size > 0 ? n : 0); ++i) out.append(what.text());
    return budget.string(std::move(out));
  }
  const std::vector<Value>& items = what.items();
  if (!items.empty() && n > (std::size_t{1} << 40) / sizeof(Value) / items.size())
    return failure("a list that is too long");
  LFM_TRY(budget.check(n * items.size() * sizeof(Value)));
  std::vector<Value> out;
  for (std::size_t i = 0; i < (items.empty() ? 0 : n); ++i) out.insert(out.end(), items.begin(), items.end());
  return budget.list(std::move(out), what.list().form);
}

}  // namespace

Result<Value> operate(Operator op, const Value& a, const Value& b, Budget& budget) {
  if (a.is(Kind::kUndefined) || b.is(Kind::kUndefined)) return is_undefined(a.is(Kind::kUndefined) ? a : b);
  if (a.is_number() && b.is_number()) {
    if (a.is(Kind::kBigInteger) || b.is(Kind::kBigInteger)) return too_large();
    const Origin origin = origin_of(a, b);
    if (a.is_integral() && b.is_integral()) return of_integers(op, a.integer(), b.integer(), origin);
    return of_floats(op, a.number(), b.number(), origin);
  }
  if (op == Operator::kAdd && a.is(Kind::kString) && b.is(Kind::kString)) {
    LFM_TRY(budget.check(a.text().size() + b.text().size()));
    Text out = a.text();
    out.append(b.text());
    return budget.string(std::move(out));
  }
  if (op == Operator::kAdd && a.is(Kind::kList) && b.is(Kind::kList) && a.list().form == b.list().form) {
    std::vector<Value> out;
    out.reserve(a.items().size() + b.items().size());
    out.insert(out.end(), a.items().begin(), a.items().end());
    out.insert(out.end(), b.items().begin(), b.items().end());
    return budget.list(std::move(out), a.list().form);
  }
  if (op == Operator::kMultiply) {
    const bool first = a.is(Kind::kString) || a.is(Kind::kList);
    const Value& times = first ? b : a;
    const Value& what = first ? a : b;
    if (times.is_integral() && (what.is(Kind::kString) || what.is(Kind::kList))) {
      return repeated(what, times.integer(), budget);
    }
  }
  if (op == Operator::kModulo && a.is(Kind::kString)) return formatted(a.text(), b, budget);
  return no_operation(a, b);
}

double power_of(double base, std::int64_t exponent) noexcept {
  double out = 1;
  for (std::int64_t i = 0; i < std::abs(exponent); ++i) out *= base;
  return exponent < 0 ? 1 / out : out;
}

Result<Value> negated(const Value& value) {
  if (value.is(Kind::kFloat)) return Value::number(-value.number(), value.origin());
  if (!value.is_integral()) return failure(std::string("a '") + type_name(value) + "' has no sign");
  return of_integers(Operator::kSubtract, 0, value.integer(), value.origin());
}

Result<Value> formatted(const Text& format, const Value& values, Budget& budget) {
  const bool many = values.is(Kind::kList) && values.list().form == List::Form::kTuple;
  std::size_t next = 0;
  Text out;
  const std::string_view bytes = format.bytes();
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t percent = std::min(bytes.find('%', at), bytes.size());
    if (percent > at) out.append(format, at, percent);
    if (percent == bytes.size()) break;
    at = percent + 1;
    std::size_t precision = 6;
    if (at < bytes.size() && bytes[at] == '.') {
      const auto read = std::from_chars(bytes.data() + at + 1, bytes.data() + bytes.size(), precision);
      if (read.ec != std::errc() || precision > 60) return failure("a format that isn't known");
      at = static_cast<std::size_t>(read.ptr - bytes.data());
    }
    if (at == bytes.size()) return failure("a format without its end");
    const char kind = bytes[at++];
    if (kind == '%') {
      out.append(format, at - 1, at);
      continue;
    }
    if (many ? next >= values.items().size() : next > 0) return failure("not enough values for a format");
    const Value& value = many ? values.items()[next] : values;
    ++next;
    if (kind == 's') {
      LFM_TRY(append_str(value, budget, out));
    } else if (kind == 'r') {
      LFM_TRY(append_repr(value, budget, out));
    } else if (!value.is_number() || value.is(Kind::kBigInteger)) {
      return failure(std::string("a format expects a number, not a '") + type_name(value) + "'");
    } else if (kind == 'f') {
      char buffer[400];
      const int size = std::snprintf(buffer, sizeof buffer, "%.*f", static_cast<int>(precision), value.number());
      out.append(std::string_view(buffer, static_cast<std::size_t>(size)), value.origin());
    } else if (kind == 'd' || kind == 'i') {
      if (std::abs(value.number()) >= 0x1p63) return too_large();
      out.append(std::to_string(value.is(Kind::kFloat) ? static_cast<std::int64_t>(value.number()) : value.integer()),
                 value.origin());
    } else {
      return failure("a format that isn't known");
    }
  }
  if (many ? next < values.items().size() : next == 0) return failure("not all values are used by a format");
  return budget.string(std::move(out));
}

}  // namespace lfm::jinja
