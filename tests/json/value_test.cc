// JSON to trees and back: nothing is lost but white space.
#include "json/value.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>

#include "json/write.h"
#include "support/expect.h"

namespace lfm::test {
namespace {

using json::Value;

std::string again(const std::string& text) {
  const auto value = json::parse(text, "text", {});
  if (!value.ok()) return value.error().describe();
  std::string out;
  json::append_value(*value, out);
  return out;
}

TEST(JsonValue, KeepsOrderAndSpelling) {
  const std::string text =
      R"({"z":1.50,"a":[true,null,{},[]],"n":123456789012345678901,"e":-1e+05,"":"\"\\\n\u0001é"})";
  EXPECT_EQ(again(text), text);
  EXPECT_EQ(again(" [ 1 , \"\\u00e9\\/\" ] "), "[1,\"é/\"]");
  EXPECT_EQ(again("0"), "0");
}

TEST(JsonValue, TellsWhatIsWrong) {
  const auto problem = [](const std::string& text, const json::Rules& rules = {}) {
    const auto value = json::parse(text, "text", rules);
    return value.ok() ? std::string() : std::string(to_string(value.error().code)) + " " + value.error().describe();
  };
  EXPECT_EQ(problem(""), "argument text: this isn't JSON (at byte 0)");
  EXPECT_EQ(problem("[1] x"), "argument text: this isn't JSON (at byte 4)");
  EXPECT_EQ(problem("1e999").substr(0, 30), "argument text: this isn't JSON");
  EXPECT_EQ(problem("\"\xff\"").substr(0, 30), "argument text: this isn't JSON");
  EXPECT_EQ(problem(R"({"a": {"b": 1, "b": 2}})"), "argument text: the key 'b' is there twice");
  EXPECT_EQ(problem(R"([{"a": 1}, {"a": 2}])"), "");
  EXPECT_EQ(problem("[[[]]]", {.levels = 2, .malformed = ErrorCode::kFormat, .too_deep = ErrorCode::kLimit}),
            "limit text: nested deeper than 2");
  EXPECT_EQ(problem(std::string(100'000, '[')), "argument text: nested deeper than 64");
}

TEST(JsonValue, NumbersAndMembers) {
  const Value value = *json::parse(
      R"({"whole": 18446744073709551615, "more": 18446744073709551616, "less": -1, "part": 1.0, "none": null, "t": "x"})",
      "text", {});
  EXPECT_EQ(value.find("whole")->whole(), UINT64_MAX);
  for (const char* name : {"more", "less", "part", "none", "t"}) EXPECT_FALSE(value.find(name)->whole()) << name;
  EXPECT_EQ(value.find("part")->number, 1.0);
  EXPECT_EQ(json::given(value, "none"), nullptr);
  EXPECT_EQ(json::given(value, "missing"), nullptr);
  EXPECT_EQ(**json::find_text(value, "t"), "x");
  EXPECT_EQ(*json::find_text(value, "none"), std::nullopt);
  expect_error(json::find_unsigned(value, "less"), ErrorCode::kFormat, "less: expected a whole number");
  expect_error(json::find_number(value, "t"), ErrorCode::kFormat, "t: expected a number");
  expect_error(json::find_bool(value, "t"), ErrorCode::kFormat, "t: expected true or false");
  expect_error(json::find_text(value, "part"), ErrorCode::kFormat, "part: expected a text");
  expect_error(json::require_unsigned(value, "none"), ErrorCode::kFormat, "none: is missing");
}

// Any tree, written and read, is the same text again.
TEST(JsonValue, RandomTrees) {
  std::mt19937 random(1);
  const std::function<Value(int)> tree = [&](int depth) {
    const auto below = [&](std::size_t n) { return random() % n; };
    const auto text = [&] {
      std::string out;
      for (std::size_t i = below(6); i > 0; --i) out += static_cast<char>(below(128));
      return out;
    };
    Value value;
    value.type = static_cast<Value::Type>(below(depth > 0 ? 6 : 4));
    value.boolean = below(2) == 0;
    if (value.is(Value::Type::kNumber)) value.text = std::to_string(static_cast<int>(below(2000)) - 1000);
    if (value.is_text()) value.text = text();
    for (std::size_t i = below(4); value.is_array() && i > 0; --i) value.items.push_back(tree(depth - 1));
    for (std::size_t i = below(4); value.is_object() && i > 0; --i)
      value.members.emplace_back(std::to_string(i) + text(), tree(depth - 1));
    return value;
  };
  for (int i = 0; i < 500; ++i) {
    std::string written;
    json::append_value(tree(4), written);
    EXPECT_EQ(again(written), written);
  }
}

}  // namespace
}  // namespace lfm::test
