// Calls as models write them: what is mended, and that it never becomes another call than was meant.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "chat/quotes.h"
#include "tests/chat/chat_sample.h"

namespace lfm::chat {
namespace {

using Json = nlohmann::ordered_json;

TEST(MendedCalls, QuotesWithinStrings) {
  EXPECT_EQ(read_calls("[note(text='it's late', n=2)]"), (Pieces{R"(call:note{"text": "it's late", "n": 2})"}));
  EXPECT_EQ(read_calls("[bash(command='sed -n '3,9p' f')]"), (Pieces{R"(call:bash{"command": "sed -n '3,9p' f"})"}));
  EXPECT_EQ(read_calls("[say(text=\"a \"b\" c\")]"), (Pieces{R"(call:say{"text": "a \"b\" c"})"}));
  EXPECT_EQ(read_calls("[f(a='he said 'no', then left')]"), (Pieces{R"(call:f{"a": "he said 'no', then left"})"}));
  EXPECT_EQ(read_calls("[f(a='say 'no''), g(b=''x' y')]"),
            (Pieces{R"(call:f{"a": "say 'no'"})", R"(call:g{"b": "'x' y"})"}));
  EXPECT_EQ(read_calls("[f(a=['don't', 'won't'], b={'k': 'it's', 'j': 1})]"),
            (Pieces{R"(call:f{"a": ["don't", "won't"], "b": {"k": "it's", "j": 1}})"}));
  EXPECT_EQ(read_calls("[f(a='it's'), g(b='x')]"), (Pieces{R"(call:f{"a": "it's"})", R"(call:g{"b": "x"})"}));
  EXPECT_EQ(read_calls(R"([{"name": "f", "arguments": {"a": "say "x" now"}}])"),
            (Pieces{R"(call:f{"a": "say \"x\" now"})"}));
  EXPECT_EQ(read_calls("[f(a='print('x') now')]"), (Pieces{R"(call:f{"a": "print('x') now"})"}));
}

TEST(MendedCalls, WhatCouldMeanTwoThingsIsNoCall) {
  for (const std::string text : {"[run(code='x=g('a'), h(b='c')')]", "[run(code='g('a', b='c')')]",
                                 "[f(a='x' y', 'z')]", "[f(a='it's 'ok'), rm(path='/'), b=?)]", "[f(a='it's]"}) {
    const Pieces pieces = read_calls(text);
    ASSERT_EQ(pieces.size(), 1u) << text;
    EXPECT_TRUE(pieces[0].starts_with("bad(")) << pieces[0];
    EXPECT_TRUE(pieces[0].ends_with("):" + text.substr(1))) << "nothing is lost: " << pieces[0];
  }
}

TEST(MendedCalls, EmptySets) {
  EXPECT_EQ(read_calls("[f(a=set(), b=[set()])]"), (Pieces{R"(call:f{"a": [], "b": [[]]})"}));
  EXPECT_EQ(read_calls("[f(a=set([1]))]")[0].substr(0, 4), "bad(");
}

TEST(MendedCalls, JoinedStrings) {
  EXPECT_EQ(read_calls("[f(a='x' + 'y')]"), (Pieces{R"(call:f{"a": "xy"})"}));
  EXPECT_EQ(read_calls("[f(a='x' 'y' + f\"z\" +\n'\\n', b=1)]"), (Pieces{R"(call:f{"a": "xyz\n", "b": 1})"}));
  for (const char* text : {"[f(a='it's', b='x' + 'y')]", "[f(a='x' % 'y')]", "[f(a='x' + y)]", "[f(a='x' * 'y')]"}) {
    const Pieces pieces = read_calls(text);
    ASSERT_EQ(pieces.size(), 1u) << text;
    EXPECT_TRUE(pieces[0].starts_with("bad(")) << pieces[0];
  }
}

TEST(MendedCalls, OtherForms) {
  EXPECT_EQ(read_calls("clock.read"), (Pieces{"call:clock.read{}"}));
  EXPECT_EQ(read_calls(" [clock.read]\n"), (Pieces{"call:clock.read{}"}));
  EXPECT_EQ(read_calls("[\"count\", {\"text\": \"red kite\"}]"), (Pieces{R"(call:count{"text": "red kite"})"}));
  EXPECT_EQ(read_calls("[f(), g]")[0], "call:f{}");
  EXPECT_EQ(read_calls("[f(), g]")[1].substr(0, 4), "bad(") << "a name alone is a call where it is all there is";
}

TEST(MendedCalls, CallsWithoutACommaBetween) {
  for (const char* text :
       {"[f(a=1) g(b=2)]", "[f(a=1)\ng(b=2)]", "[f(a=1);g(b=2)]", "[f(a=1);\n g(b=2)]", "f(a=1); g(b=2)"})
    EXPECT_EQ(read_calls(text), (Pieces{R"(call:f{"a": 1})", R"(call:g{"b": 2})"})) << text;
  EXPECT_EQ(read_calls("[f(a=1) g(b=2), h(c='it's')]"),
            (Pieces{R"(call:f{"a": 1})", R"(call:g{"b": 2})", R"(call:h{"c": "it's"})"}));
}

TEST(MendedCalls, GoodOnesBesideABadOne) {
  EXPECT_EQ(read_calls("[bad(x=b'z'), f(a='1')]"),
            (Pieces{"bad(expected a string of text at byte 6):bad(x=b'z')", R"(call:f{"a": "1"})"}));
  EXPECT_EQ(read_calls("[f(a=1), bad(2), g(), bad(3)]"),
            (Pieces{"call:f{\"a\": 1}", "bad(an argument without a name at byte 4):bad(2)", "call:g{}",
                    "bad(an argument without a name at byte 4):bad(3)"}));
}

TEST(MendedCalls, GoodOnesBehindOneOfWhichTheEndIsntClear) {
  EXPECT_EQ(read_calls("[f(a='it's 'ok', b=?), g(b=1), h()]"),
            (Pieces{"bad(expected ',' or ')' at byte 8):f(a='it's 'ok', b=?), ", R"(call:g{"b": 1})", "call:h{}"}));
  EXPECT_EQ(read_calls("[f(a='x' - 'y'), g({'b': 'c'})]")[1], R"(call:g{"b": "c"})");
  // What may be part of the bad one isn't taken out of it.
  for (const char* text : {"[note(text='use f(x), rm(path='/')]", "[add(list=[{'name': 'ann'}, {'name': 'bob'}]]",
                           "[run(x=[g(a=1), h(b=2)]]", "[f(a=[1, 2), g(b=1)]",
                           "[f(a='it's 'ok', b=?), g(b=1), h(c=d e)]", "[f(a='x=')'', b=1)]"}) {
    EXPECT_EQ(read_calls(text).size(), 1u) << text;
    EXPECT_TRUE(read_calls(text)[0].starts_with("bad(")) << text;
  }
}

TEST(MendedCalls, EveryRepairIsTold) {
  struct Repairs : PieceSink {
    void piece(const Piece& piece) override { told += std::string(piece.error) + ";"; }
    std::string told;
  } repairs;
  for (const std::string text : {"[f({'a': 1})]", "[f(a=x)]", "[f(a=1, a=1)]", "[f(a='it's')]", "f", "['f', {}]",
                                 "[f(a={1})]", "[f(); g()]", "[f(a=f'x')]", "[f(**{'a': 1}), g(a=set())]"}) {
    CallStream stream;
    stream.push(text, repairs);
    stream.finish(false, repairs);
  }
  EXPECT_EQ(repairs.told,
            "the arguments are one object;a text without quotes;an argument is there twice;a quote within a string;"
            "a name without parentheses;a name and its arguments in a list;a set;;no comma in front of it;an f-string;"
            "arguments in a dictionary;a set;");
}

TEST(MendedCalls, AnAnswerThatIsCutIsNotMended) {
  CallStream stream;
  Collector collector;
  stream.push("[f(a='it's', b='x')]", collector);
  stream.finish(true, collector);
  EXPECT_EQ(stream.calls(), 0u);
  EXPECT_EQ(stream.malformed(), 1u);
}

TEST(MendedCalls, PlainBounds) {
  for (const char* text : {"f(a=b'z')", "f(x)", "{\"a\": [1, 'x'], 'b': '}'}", "f(a='''it's''')"})
    EXPECT_TRUE(is_plainly_bounded(text)) << text;
  for (const char* text : {"f(a='it's 'ok')", "f(a='x''y')", "f(a=1]", "f(a=(1)", "f() ", "f", "f(a='x' 'y')", "f('x)"})
    EXPECT_FALSE(is_plainly_bounded(text)) << text;
}

// Whether a quote in the text stands where what follows, or what is in front, makes it look like a string's bound.
bool looks_like_bounds(const std::string& value) {
  const auto next = [&](std::size_t i) {
    const std::size_t at = value.find_first_not_of(' ', i);
    return at == std::string::npos ? '\'' : value[at];
  };
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\'' && std::string_view(",)]}:'").find(next(i + 1)) != std::string_view::npos) return true;
  }
  return !value.empty() && next(0) == '\'';
}

// Values are written between quotes as they are. Where no quote of theirs looks like a bound, and brackets have their
// other halves, what was meant is read; with any brackets it is that or no call.
TEST(MendedCalls, NeverAWrongArgument) {
  std::mt19937 random(7);
  const std::string alphabet = "ab '',)(]=:{ '";
  std::size_t quoted = 0;
  for (int round = 0; round < 100'000; ++round) {
    std::vector<std::string> values(1 + random() % 3);
    bool bounds = false;
    bool balanced = true;
    std::string text = "[f(";
    for (std::size_t i = 0; i < values.size(); ++i) {
      for (std::size_t n = random() % 9; n > 0; --n) values[i] += alphabet[random() % alphabet.size()];
      bounds = bounds || looks_like_bounds(values[i]);
      balanced = balanced && is_balanced(values[i]);
      text += (i > 0 ? ", " : "") + std::string(1, static_cast<char>('p' + i)) + "='" + values[i] + "'";
    }
    text += ")]";
    if (bounds) continue;
    CallStream stream;
    Collector collector;
    stream.push(text, collector);
    stream.finish(false, collector);
    const std::vector<ToolCall>& calls = collector.message.tool_calls;
    if (!balanced && calls.empty()) continue;
    ASSERT_EQ(calls.size(), 1u) << text << " " << testing::PrintToString(collector.pieces);
    const Json arguments = Json::parse(calls[0].arguments);
    ASSERT_EQ(arguments.size(), values.size()) << text;
    for (std::size_t i = 0; i < values.size(); ++i)
      ASSERT_EQ(arguments[std::string(1, static_cast<char>('p' + i))], values[i]) << text;
    quoted += calls[0].arguments.find('\'') != std::string::npos;
  }
  EXPECT_GT(quoted, 500u);
}

}  // namespace
}  // namespace lfm::chat
