#include "constrain/compile_tools.h"

#include <gtest/gtest.h>

#include <random>

#include "chat/call.h"
#include "chat/call_stream.h"
#include "tests/constrain/verdict.h"
#include "tests/text/sample.h"

namespace lfm::constrain {
namespace {

const char* const kTools = R"([
  {"name": "get_weather", "parameters": {"type": "object", "properties": {
      "city": {"type": "string"}, "days": {"type": "integer", "minimum": 1, "maximum": 14},
      "unit": {"enum": ["C", "F"]}}, "required": ["city"]}},
  {"type": "function", "function": {"name": "calendar.add", "parameters": {"type": "object", "properties": {
      "title": {"type": "string", "maxLength": 8}, "guests": {"type": "array", "items": {"type": "string"}, "maxItems": 2},
      "options": {"type": "object", "properties": {"remind": {"type": ["boolean", "null"]}}, "additionalProperties": false}},
      "required": ["title", "options"]}}},
  {"name": "stop"}])";

std::string verdict_of(const CallRules& rules, std::string_view text) {
  const auto grammar = compile_tools(kTools, rules);
  return grammar.ok() ? verdict(**grammar, text) : grammar.error().describe();
}

TEST(Tools, PythonsForm) {
  const auto is = [](std::string_view text) { return verdict_of({}, text) == "allowed"; };
  EXPECT_TRUE(is("[get_weather(city='Paris')]"));
  EXPECT_TRUE(is("[get_weather(city=\"it's\", days=3, unit='F'), stop()]"));
  EXPECT_TRUE(is("[get_weather(city='it\\'s')]"));
  EXPECT_TRUE(is("[calendar.add(title='a\nb', guests=['x', \"y\"], options={'remind': None})]"));
  EXPECT_TRUE(is("[calendar.add(title='', options={\"remind\": true})]"));
  EXPECT_FALSE(is("[get_weather()]"));
  EXPECT_FALSE(is("[get_weather(city=Paris)]"));
  EXPECT_FALSE(is("[get_weather(city='Paris', days=15)]"));
  EXPECT_FALSE(is("[get_weather(city='Paris', color='red')]"));
  EXPECT_FALSE(is("[other()]"));
  EXPECT_FALSE(is("[]"));
  EXPECT_FALSE(is("[stop(x=1)]"));
}

TEST(Tools, OneToolOneCallAndJson) {
  EXPECT_EQ(verdict_of({.only = "stop", .single = true}, "[stop()]"), "allowed");
  EXPECT_NE(verdict_of({.only = "stop", .single = true}, "[stop(), stop()]"), "allowed");
  EXPECT_NE(verdict_of({.only = "stop"}, "[get_weather(city='a')]"), "allowed");
  EXPECT_EQ(verdict_of({.only = "none"}, ""), "tool_choice: there is no tool \"none\"");
  EXPECT_EQ(verdict_of({.form = CallForm::kJson}, R"([{"name": "get_weather", "arguments": {"city": "Paris"}}])"), "allowed");
  EXPECT_NE(verdict_of({.form = CallForm::kJson}, R"([{"name": "stop", "arguments": {"city": "Paris"}}])"), "allowed");
}

TEST(Tools, Errors) {
  const auto problem = [](std::string_view tools) {
    const auto grammar = compile_tools(tools, {});
    return grammar.ok() ? "none" : grammar.error().describe();
  };
  EXPECT_EQ(problem("{}"), "tools: expected an array of tools");
  EXPECT_EQ(problem(R"([{"parameters": {}}])"), "tools: a tool without a name (index 0)");
  EXPECT_EQ(problem(R"([{"name": "a b"}])"), "tools: a name that no call can be read with, \"a b\" (index 0)");
  EXPECT_EQ(problem(R"([{"name": "a"}, {"name": "a"}])"), "tools: a name that another tool has (index 1)");
  EXPECT_EQ(problem(R"([{"name": "a", "parameters": {"properties": {"x": {"$dynamicRef": "#y"}}}}])"),
            "/0/parameters/properties/x/$dynamicRef: \"$dynamicRef\" can't be held");
  EXPECT_EQ(problem(R"([{"name": "a", "parameters": {"required": ["x y"]}}])"),
            "/0/parameters: an argument that no call can name, \"x y\"");
}

struct Calls : chat::PieceSink {
  void piece(const Piece& piece) override {
    if (piece.kind == PieceKind::kToolCall) all.emplace_back(piece.name, piece.arguments);
    if (piece.kind == PieceKind::kMalformedCall) problem = std::string(piece.text) + ": " + std::string(piece.error);
  }
  std::vector<std::pair<std::string, std::string>> all;
  std::string problem;
};

// Any calls that the grammar lets be made are read by our own reader, and their arguments satisfy the tool's schema.
TEST(Tools, WhatIsAllowedIsReadBack) {
  std::mt19937 random(5);
  const TokenTrie trie(text::sample_tokenizer());
  for (const CallForm form : {CallForm::kPython, CallForm::kJson}) {
    const auto grammar = compile_tools(kTools, {.form = form});
    ASSERT_TRUE(grammar.ok()) << grammar.error().describe();
    const auto weather = compile_json_schema(
        R"({"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1, "maximum": 14},
            "unit": {"enum": ["C", "F"]}}, "required": ["city"]})");
    LexemeMasks masks(**grammar, trie);
    std::size_t read = 0;
    for (int walk = 0; walk < 60; ++walk) {
      Matcher matcher(**grammar, &masks, &trie);
      TokenMask mask(trie.tokens());
      std::string text;
      for (int step = 0; step < 200; ++step) {
        ASSERT_TRUE(matcher.mask(mask).ok());
        if (matcher.is_complete()) break;
        std::vector<TokenId> ids;
        for (std::size_t id = 0; id < trie.tokens(); ++id)
          if (mask.test(static_cast<TokenId>(id))) ids.push_back(static_cast<TokenId>(id));
        ASSERT_FALSE(ids.empty()) << text;
        TokenId token = ids[random() % ids.size()];
        for (const TokenId id : ids) {  // ends are rare otherwise
          const std::string_view bytes = trie.bytes(id);
          if (random() % 3 == 0 && (bytes == "'" || bytes == "\"" || bytes == ")" || bytes == "]" || bytes == "}")) token = id;
        }
        ASSERT_TRUE(*matcher.accept(trie.bytes(token)));
        text += trie.bytes(token);
      }
      if (!matcher.is_complete()) continue;
      Calls calls;
      chat::CallStream stream;
      stream.push(text, calls);
      stream.finish(false, calls);
      EXPECT_EQ(calls.problem, "");
      ASSERT_FALSE(calls.all.empty()) << text;
      for (const auto& [name, arguments] : calls.all) {
        ++read;
        if (name != "get_weather") continue;
        EXPECT_EQ(verdict(**weather, respell(arguments).text, Order::kAny), "allowed") << text;
      }
    }
    EXPECT_GT(read, 10u);
  }
}

}  // namespace
}  // namespace lfm::constrain
