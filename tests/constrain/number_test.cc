#include "constrain/schema/number.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/constrain/verdict.h"

namespace lfm::constrain {
namespace {

TEST(Decimal, PlainWhateverTheSpelling) {
  const auto text = [](const char* spelt) { return Decimal::parse(spelt).value().text(); };
  EXPECT_EQ(text("12.50"), "12.5");
  EXPECT_EQ(text("-0"), "0");
  EXPECT_EQ(text("1e3"), "1000");
  EXPECT_EQ(text("125E-4"), "0.0125");
  EXPECT_EQ(text("-1.5e1"), "-15");
  EXPECT_FALSE(Decimal::parse("1e500").has_value());
  EXPECT_LT(compare(*Decimal::parse("-2"), *Decimal::parse("-1.5")), 0);
  EXPECT_GT(compare(*Decimal::parse("10"), *Decimal::parse("9.99")), 0);
}

// Against comparing the decimals: any bounds, any numbers near them.
TEST(Numbers, BoundsAreExact) {
  std::mt19937 random(7);
  const auto number = [&random](int digits) {
    std::string text = random() % 2 == 0 ? "" : "-";
    text += std::to_string(random() % 1200);
    if (random() % 2 == 0) {
      text += '.';
      for (int i = 0; i < digits; ++i) text += static_cast<char>('0' + random() % 10);
    }
    return text;
  };
  for (int round = 0; round < 60; ++round) {
    NumberSpec spec;
    spec.fractions = random() % 2 == 0;
    if (random() % 3 > 0) spec.min = Bound{*Decimal::parse(number(2)), random() % 2 == 0};
    if (random() % 3 > 0) spec.max = Bound{*Decimal::parse(number(2)), random() % 2 == 0};
    if (!spec.fractions && random() % 2 == 0) spec.multiple_of = 1 + static_cast<std::uint32_t>(random() % 9);
    Dfa dfa;
    const RegexId regex = number_regex(dfa.pool(), spec);
    for (int i = 0; i < 60; ++i) {
      const std::string text = random() % 4 == 0 && spec.min ? spec.min->value.text() : number(1 + static_cast<int>(random() % 3));
      const Decimal value = *Decimal::parse(text);
      bool wanted = spec.fractions || text.find('.') == std::string::npos;
      const auto in = [&](const Bound& bound, int side) {
        const int order = compare(value, bound.value) * side;
        return order > 0 || (order == 0 && !bound.exclusive);
      };
      if (spec.min) wanted = wanted && in(*spec.min, 1);
      if (spec.max) wanted = wanted && in(*spec.max, -1);
      if (spec.multiple_of > 0) wanted = wanted && std::stol(value.whole) % spec.multiple_of == 0;
      if (value == Decimal{} && text.starts_with('-')) continue;  // which some specs have and some don't
      EXPECT_EQ(dfa.pool().matches(regex, text), wanted) << text << " round " << round;
    }
  }
}

TEST(Numbers, Spellings) {
  EXPECT_EQ(verdict(R"({"type": "number"})", "-1.5e-7"), "allowed");
  EXPECT_EQ(verdict(R"({"type": "number"})", "01"), "refused at 1");
  EXPECT_EQ(verdict(R"({"type": "number"})", "1."), "refused at the end");
  EXPECT_EQ(verdict(R"({"type": "integer"})", "12.5"), "refused at 2");
  EXPECT_EQ(verdict(R"({"type": "integer"})", "-0"), "refused at 1");
  // What is no integer is none to readers with binary fractions either.
  const char* fraction = R"({"type": "number", "not": {"type": "integer"}})";
  EXPECT_EQ(verdict(fraction, "-12.5"), "allowed");
  EXPECT_EQ(verdict(fraction, "3.00001"), "allowed");
  EXPECT_EQ(verdict(fraction, "3.000001"), "refused at 6");
  EXPECT_EQ(verdict(fraction, "3.0"), "refused at the end");
  EXPECT_EQ(verdict(fraction, "1234567890.5"), "refused at 9");
  EXPECT_EQ(verdict(R"({"type": "number", "not": {"type": "integer"}, "minimum": 0, "maximum": 0.00000001})", "0.000000001"), "allowed");
  EXPECT_EQ(verdict(R"({"type": "number", "exclusiveMaximum": 0.1})", "0.0999999999999999999"), "refused at 16");
  EXPECT_EQ(verdict(R"({"minimum": 5, "exclusiveMinimum": true, "type": "integer"})", "5"), "refused at the end");
  EXPECT_EQ(verdict(R"({"type": "integer", "multipleOf": 7, "minimum": 700})", "707"), "allowed");
  EXPECT_EQ(verdict(R"({"type": "integer", "multipleOf": 7, "minimum": 700})", "701"), "refused at the end");
}

}  // namespace
}  // namespace lfm::constrain
