#include "constrain/schema/decimal.h"

#include <algorithm>

namespace lfm::constrain {
namespace {

int compare_magnitude(const Decimal& a, const Decimal& b) {
  if (a.whole.size() != b.whole.size()) return a.whole.size() < b.whole.size() ? -1 : 1;
  if (const int order = a.whole.compare(b.whole); order != 0) return order < 0 ? -1 : 1;
  const int order = a.fraction.compare(b.fraction);
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

}  // namespace

std::optional<Decimal> Decimal::parse(std::string_view spelt) {
  Decimal value;
  if (spelt.starts_with('-')) {
    value.negative = true;
    spelt.remove_prefix(1);
  }
  const std::size_t e = spelt.find_first_of("eE");
  long exponent = 0;
  if (e != std::string_view::npos) {
    std::string_view digits = spelt.substr(e + 1);
    const bool down = digits.starts_with('-');
    if (down || digits.starts_with('+')) digits.remove_prefix(1);
    for (const char c : digits) exponent = std::min(exponent * 10 + (c - '0'), 1'000'000L);
    if (down) exponent = -exponent;
  }
  const std::string_view mantissa = spelt.substr(0, e);
  const std::size_t point = mantissa.find('.');
  std::string digits(mantissa.substr(0, point));
  long whole = static_cast<long>(digits.size());
  if (point != std::string_view::npos) digits += mantissa.substr(point + 1);
  const std::size_t first = digits.find_first_not_of('0');
  if (first == std::string::npos) return Decimal{};
  digits.erase(0, first);
  whole += exponent - static_cast<long>(first);
  digits.erase(digits.find_last_not_of('0') + 1);
  const long size = static_cast<long>(digits.size());
  if (whole > kMaxDigits || size - whole > kMaxDigits) return std::nullopt;
  if (whole <= 0) {
    value.fraction = std::string(static_cast<std::size_t>(-whole), '0') + digits;
  } else if (whole >= size) {
    value.whole = digits + std::string(static_cast<std::size_t>(whole - size), '0');
  } else {
    value.whole = digits.substr(0, static_cast<std::size_t>(whole));
    value.fraction = digits.substr(static_cast<std::size_t>(whole));
  }
  return value;
}

std::string Decimal::text() const {
  return (negative ? "-" : "") + whole + (fraction.empty() ? "" : "." + fraction);
}

int compare(const Decimal& a, const Decimal& b) {
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  return a.negative ? -compare_magnitude(a, b) : compare_magnitude(a, b);
}

}  // namespace lfm::constrain
