// Calls, one by one: what is read, and what isn't and why.
#include <gtest/gtest.h>

#include <chrono>

#include "chat/json.h"
#include "tests/chat/chat_sample.h"

namespace lfm::chat {
namespace {

// The arguments as JSON, or the problem.
std::string read_one(std::string_view text) {
  CallText call;
  return read_call(text, call) ? call.name + call.arguments : "! " + call.problem;
}

TEST(Call, Values) {
  const std::pair<const char*, const char*> cases[] = {
      {"f()", "f{}"},
      {" f ( a = 1 , ) ", "f{\"a\": 1}"},
      {"f(a='x', b=\"y\")", "f{\"a\": \"x\", \"b\": \"y\"}"},
      {"f(a='it\\'s \"q\"', b=\"it's\")", "f{\"a\": \"it's \\\"q\\\"\", \"b\": \"it's\"}"},
      {"f(a='\\u00e9\\x41\\101\\U0001F642\\d\\/')", "f{\"a\": \"\u00e9AA\U0001F642\\\\d\\\\/\"}"},
      {"f(a='\\ud83d\\ude42')", "f{\"a\": \"\U0001F642\"}"},
      {"f(a='one' 'two' \"three\")", "f{\"a\": \"onetwothree\"}"},
      {"f(a='''a'b\n''', b=\"\"\"\"x\"\"\")", "f{\"a\": \"a'b\\n\", \"b\": \"\\\"x\"}"},
      {"f(a='', b='' '', c=[\"\"])", "f{\"a\": \"\", \"b\": \"\", \"c\": [\"\"]}"},
      {"f(a=r'\\d+\\'', b=u'x')", "f{\"a\": \"\\\\d+\\\\'\", \"b\": \"x\"}"},
      {"f(a='x\\\ny')", "f{\"a\": \"xy\"}"},
      {"f(a=True, b=true, c=False, d=false, e=None, f=null)",
       "f{\"a\": true, \"b\": true, \"c\": false, \"d\": false, \"e\": null, \"f\": null}"},
      {"f(a=007, b=0, c=00, d=-0012, e=+5)", "f{\"a\": 7, \"b\": 0, \"c\": 0, \"d\": -12, \"e\": 5}"},
      {"f(a=1., b=.5, c=1e5, d=1E-05, e=00.50, f=-1.5)",
       "f{\"a\": 1.0, \"b\": 0.5, \"c\": 1e5, \"d\": 1e-05, \"e\": 0.50, \"f\": -1.5}"},
      {"f(a=0x1F, b=0b101, c=0o17, d=1_000_000, e=-0xff)",
       "f{\"a\": 31, \"b\": 5, \"c\": 15, \"d\": 1000000, \"e\": -255}"},
      {"f(a=123456789012345678901234567890, b=1e308)", "f{\"a\": 123456789012345678901234567890, \"b\": 1e308}"},
      {"f(a=[1, [2, []], ()], b=(1,), c=(1), d=(1, 2))",
       "f{\"a\": [1, [2, []], []], \"b\": [1], \"c\": 1, \"d\": [1, 2]}"},
      {"f(a={'k': {'l': [1]}, 2: 3, None: 4, True: 5, 1.5: 6})",
       "f{\"a\": {\"k\": {\"l\": [1]}, \"2\": 3, \"null\": 4, \"true\": 5, \"1.5\": 6}}"},
      {"Calendar.create_event(class='a', from=1, import=2)",
       "Calendar.create_event{\"class\": \"a\", \"from\": 1, \"import\": 2}"},
      {"mcp/files:read-all(\xc3\xa4=1)", "mcp/files:read-all{\"\xc3\xa4\": 1}"},
      {"f(a={'x', 2, }, b={'y'}, c={})", "f{\"a\": [\"x\", 2], \"b\": [\"y\"], \"c\": {}}"},
      {"f(a=f'low {{w}}', b=rf'\\d')", "f{\"a\": \"low {w}\", \"b\": \"\\\\d\"}"},
      {"f(a=1, **{'b': 'x, y', 'c': {'d': []}}, e=2)",
       "f{\"a\": 1, \"b\": \"x, y\", \"c\": {\"d\": []}, \"e\": 2}"},
      {"f(**{})", "f{}"},
      {"f({\"a\": \"\\/\", 'b': None})", "f{\"a\": \"/\", \"b\": null}"},
      {"f(a=1, b=2, a=1)", "f{\"a\": 1, \"b\": 2}"},
      {"f(a=Paris, b=low_water)", "f{\"a\": \"Paris\", \"b\": \"low_water\"}"},
      {"{\"name\": \"f\"}", "f{}"},
      {"{\"name\": \"f\", \"arguments\": {\"a\": [true, None, 'x'], \"b\": \"\\/\"}}",
       "f{\"a\": [true, null, \"x\"], \"b\": \"/\"}"},
      {"{'parameters': {}, 'name': 'a.b'}", "a.b{}"},
      {"{\"name\": \"f\", \"arguments\": \"{\\\"a\\\": 1}\"}", "f{\"a\": 1}"},
      {"{\"type\": \"function\", \"function\": {\"name\": \"f\", \"arguments\": {\"a\": 1}}}", "f{\"a\": 1}"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(read_one(text), expected) << text;
}

TEST(Call, Problems) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "! expected a function's name at byte 0"},
      {"f", "! expected '(' at byte 1"},
      {"1f()", "! expected a function's name at byte 0"},
      {"f('Paris')", "! an argument without a name at byte 2"},
      {"f(a)", "! expected '=' behind an argument's name at byte 3"},
      {"f(a=)", "! expected a value at byte 4"},
      {"f(a=nan)", "! expected a value, and not a name, at byte 4"},
      {"f(a=1 b=2)", "! expected ',' or ')' at byte 6"},
      {"f(a=TRUE)", "! expected a value, and not a name, at byte 4"},
      {"f(a=some words)", "! expected a value, and not a name, at byte 4"},
      {"f(a=g())", "! expected a value, and not a name, at byte 4"},
      {"f({'a': 1}, 2)", "! an argument without a name at byte 12"},
      {"f({1, 2})", "! expected ':' at byte 4"},
      {"f(a=f'{b} m')", "! a string that fills something in at byte 7"},
      {"f(a='x'', b='y')", "! a quote within a string at byte 7"},
      {"f(a='x' ', b='y')", "! a quote within a string at byte 8"},
      {"f(a='x''y')", "! a quote within a string at byte 7"},
      {"f(a=1, **{'a': 2})", "! an argument is there twice at byte 17"},
      {"f(a=1, a=2)", "! an argument is there twice at byte 10"},
      {"f(a={'k': 1, 'k': 2})", "! a key is there twice at byte 16"},
      {"f(a={[1]: 2})", "! expected a key at byte 5"},
      {"f(a=1j)", "! expected the end of a number at byte 5"},
      {"f(a=12abc)", "! expected the end of a number at byte 6"},
      {"f(a=1+2)", "! expected ',' or ')' at byte 5"},
      {"f(a=1e999)", "! a number too large for JSON at byte 9"},
      {"f(a=[-1_0.5E+40_0])", "! a number too large for JSON at byte 17"},
      {R"({"name": "f", "arguments": {"a": 1e309}})", "! a number too large for JSON at byte 38"},
      {"f(a=--1)", "! expected a number at byte 5"},
      {"f(a=1e)", "! expected an exponent at byte 6"},
      {"f(a=0x)", "! expected digits at byte 6"},
      {"f(a=b'x')", "! expected a string of text at byte 4"},
      {"f(a='x", "! a string without an end at byte 6"},
      {"f(a='\\ud83d')", "! half a surrogate pair at byte 11"},
      {"f(a='\\U00110000')", "! no character of Unicode at byte 15"},
      {"f(a='\\N{DASH}')", "! characters by name aren't read at byte 6"},
      {"f() g", "! expected the end of the call at byte 4"},
      {"{}", "! a call without a name at byte 2"},
      {"{\"name\": 1}", "! expected a name in quotes at byte 9"},
      {"{\"name\": \"f g\"}", "! no name of a function at byte 14"},
      {"{\"name\": \"f\", \"arguments\": [1]}", "! expected an object of arguments at byte 27"},
      {"{\"name\": \"f\", \"arguments\": \"x\"}", "! arguments that are no JSON object at byte 30"},
      {"{\"name\": \"f\", \"name\": \"g\"}", "! a call with two names at byte 22"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(read_one(text), expected) << text;
}

TEST(Call, DepthIsBounded) {
  const auto nested = [](std::size_t depth) {
    return "f(a=" + std::string(depth, '[') + std::string(depth, ']') + ")";
  };
  EXPECT_EQ(read_one(nested(kMaxDepth))[0], 'f');
  EXPECT_EQ(read_one(nested(kMaxDepth + 1)), "! nested too deeply at byte " + std::to_string(4 + kMaxDepth));
  EXPECT_EQ(read_one(nested(1'000'000))[0], '!');
  EXPECT_EQ(read_one("f(a=" + std::string(1'000'000, '('))[0], '!');
}

TEST(CallStream, Lists) {
  EXPECT_EQ(read_calls("[f(a=1), g()]"), (Pieces{"call:f{\"a\": 1}", "call:g{}"}));
  EXPECT_EQ(read_calls("f(a=1)"), (Pieces{"call:f{\"a\": 1}"}));
  EXPECT_EQ(read_calls("f()\ng()"), (Pieces{"call:f{}", "call:g{}"}));
  EXPECT_EQ(read_calls("[f()][g()]\n"), (Pieces{"call:f{}", "call:g{}"}));
  EXPECT_EQ(read_calls("[f(), ]"), (Pieces{"call:f{}"}));
  EXPECT_EQ(read_calls("{\"name\": \"f\"}"), (Pieces{"call:f{}"}));
  EXPECT_EQ(read_calls("[f(a=')]'), g(b=\"'\", c='')]"),
            (Pieces{"call:f{\"a\": \")]\"}", "call:g{\"b\": \"'\", \"c\": \"\"}"}));
  EXPECT_EQ(read_calls("[]"), Pieces{});
  EXPECT_EQ(read_calls(""), Pieces{});
}

TEST(CallStream, WhatIsNoCallIsTextWithItsReason) {
  EXPECT_EQ(read_calls("[f(a=1), g(x), h()]"),
            (Pieces{"call:f{\"a\": 1}", "bad(expected '=' behind an argument's name at byte 3):g(x)", "call:h{}"}));
  EXPECT_EQ(read_calls("[f()] and so on"), (Pieces{"call:f{}", "bad(a call without an end):and so on"}));
  EXPECT_EQ(read_calls("[f() )]"), (Pieces{"call:f{}", "bad(expected ',' or ']' behind a call):)]"}));
  EXPECT_EQ(read_calls("[[f()]]"), (Pieces{"bad(expected a call):[f()]]"}));
  EXPECT_EQ(read_calls("[,f()]"), (Pieces{"bad(expected a call):,f()]"}));
  EXPECT_EQ(read_calls("[f(a='x)]"), (Pieces{"bad(a call without an end):f(a='x)]"}));
  EXPECT_EQ(read_calls("[hello you]"), (Pieces{"bad(expected '(' at byte 6):hello you]"}));
  EXPECT_EQ(read_calls("[f(a=1])]"), (Pieces{"bad(expected ',' or ')' at byte 5):f(a=1])]"}));
  const std::string deep = "f(a=" + std::string(100'000, '[');
  EXPECT_EQ(read_calls(deep), (Pieces{"bad(nested too deeply):" + deep}));
}

TEST(CallStream, IsBoundedAndLinear) {
  const auto start = std::chrono::steady_clock::now();
  CallStream stream;
  Collector collector;
  const std::string text(1000, '\'');
  stream.push("[f(a=\"", collector);
  for (int i = 0; i < 5000; ++i) stream.push(text, collector);
  stream.finish(false, collector);
  EXPECT_EQ(stream.malformed(), 1u);
  EXPECT_EQ(collector.message.content.size(), 5'000'005u);  // and none of it is lost
  for (const char* unit : {"f(),", "[", "{\"name\": \"f\"},", "(1),", "''", "\\", "f(a=[", "{1:"}) {
    std::string many = "[f(a=(";
    while (many.size() < 1'000'000) many += unit;
    read_calls(many);
    read_calls(many.substr(1) + "))");
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace
}  // namespace lfm::chat
