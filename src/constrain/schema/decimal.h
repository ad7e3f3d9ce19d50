// Numbers of a schema, exact: bounds are compared digit by digit and never as binary fractions.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace lfm::constrain {

// Plain decimal notation without zeros that don't count: 12.50 is "12" and "5", 0 has no sign.
struct Decimal {
  bool negative = false;
  std::string whole = "0";
  std::string fraction = {};

  // Of JSON's spelling. None if it would take more than kMaxDigits on either side of the point.
  static constexpr int kMaxDigits = 400;
  static std::optional<Decimal> parse(std::string_view spelt);

  bool is_integer() const noexcept { return fraction.empty(); }
  std::string text() const;

  bool operator==(const Decimal&) const = default;
};

// Below, at or above zero as a is to b.
int compare(const Decimal& a, const Decimal& b);

}  // namespace lfm::constrain
