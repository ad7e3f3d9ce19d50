#include "constrain/regex/pattern.h"

#include <gtest/gtest.h>

#include "constrain/schema/format.h"
#include "tests/constrain/verdict.h"

namespace lfm::constrain {
namespace {

bool found(std::string_view pattern, std::string_view text) {
  const auto parsed = Pattern::parse(pattern);
  EXPECT_TRUE(parsed.ok()) << parsed.error().describe();
  RegexPool pool;
  const auto regex = parsed->compile(pool, Spelling{});
  EXPECT_TRUE(regex.ok()) << pattern;
  std::string spelt;
  Spelling{}.append(text, spelt);
  return regex.ok() && pool.matches(*regex, spelt);
}

TEST(Pattern, FindsWhatEcmaDoes) {
  EXPECT_TRUE(found("b+", "abbc"));
  EXPECT_FALSE(found("^b+", "abbc"));
  EXPECT_TRUE(found("^a|b$", "xb"));
  EXPECT_FALSE(found("^(a|b)$", "ab"));
  EXPECT_TRUE(found("^(?:ab){2,3}$", "ababab"));
  EXPECT_FALSE(found("^(?:ab){2,3}$", "abababab"));
  EXPECT_TRUE(found("^[^a-c\\d]$", "\""));
  EXPECT_TRUE(found("^\\u00e9\\x41\\/$", "\u00e9A/"));
  EXPECT_TRUE(found("^.$", "\u65e5"));
  EXPECT_FALSE(found("^.$", "\n"));
  EXPECT_TRUE(found("^\\s$", "\n"));
  EXPECT_TRUE(found("^\\p{L}+$", "\u00e9\u65e5"));
  EXPECT_TRUE(found("^(?!foo).*bar$", "a bar"));
  EXPECT_FALSE(found("^(?!foo).*bar$", "foo bar"));
  EXPECT_TRUE(found("^(?=.*\\d)(?=.*[a-z]).{3}$", "a1b"));
  EXPECT_FALSE(found("^(?=.*\\d)(?=.*[a-z]).{3}$", "abc"));
  EXPECT_TRUE(found("(^a$|^b)", "bc"));
  EXPECT_TRUE(found("^a{,3}$", "a{,3}"));
  EXPECT_TRUE(found("", "anything"));
}

// As an answer: the whole text, whatever it begins with.
TEST(Pattern, IsAnAnswer) {
  const auto answer = [](std::string_view pattern, std::string_view text) {
    const auto grammar = compile_regex(pattern);
    return grammar.ok() ? verdict(**grammar, text) : grammar.error().describe();
  };
  EXPECT_EQ(answer("a{2}", "aa"), "allowed");
  EXPECT_EQ(answer("\\{\"a\": [0-9]+\\}", "{\"a\": 42}"), "allowed");
  EXPECT_EQ(answer("\\[[a-z]\\]|x", "[b]"), "allowed");
  EXPECT_EQ(answer("\\[[a-z]\\]|x", "x"), "allowed");
  EXPECT_EQ(answer("\"a\"", "\"a\""), "allowed");
  EXPECT_EQ(answer("(?:ab)*", ""), "allowed");
  EXPECT_EQ(answer("(?:ab)+", ""), "refused at the end");
  EXPECT_EQ(answer("(?:ab)*", "aba"), "refused at the end");
  EXPECT_EQ(answer("(?:ab)*", "abb"), "refused at 2");
}

TEST(Pattern, WhatCannotBeHeldIsAnError) {
  const auto code = [](std::string_view pattern) {
    const auto parsed = Pattern::parse(pattern);
    if (!parsed.ok()) return parsed.error().code;
    RegexPool pool;
    const auto regex = parsed->compile(pool, Spelling{});
    return regex.ok() ? ErrorCode::kState : regex.error().code;
  };
  EXPECT_EQ(code("a\\b"), ErrorCode::kUnsupported);
  EXPECT_EQ(code("(?<=a)b"), ErrorCode::kUnsupported);
  EXPECT_EQ(code("(a)\\1"), ErrorCode::kUnsupported);
  EXPECT_EQ(code("(?:^a)*"), ErrorCode::kUnsupported);
  EXPECT_EQ(code("(a"), ErrorCode::kArgument);
  EXPECT_EQ(code("[a"), ErrorCode::kArgument);
  EXPECT_EQ(code("a{1000000000}"), ErrorCode::kLimit);
  EXPECT_EQ(code(std::string(60'000, '(')), ErrorCode::kLimit);
}

TEST(Pattern, RepeatsOfRepeatsStaySmall) {
  const std::string schema = R"({"type": "string", "pattern": "^(a*)*b$"})";
  EXPECT_EQ(verdict(schema, "\"" + std::string(5'000, 'a') + "b\""), "allowed");
  EXPECT_EQ(verdict(R"({"type": "string", "pattern": "^a{0,1000000}$"})", "\"aaa\""), "allowed");
}

TEST(Format, Examples) {
  const auto is = [](std::string_view format, std::string_view text) {
    const std::string schema = R"({"type": "string", "format": ")" + std::string(format) + "\"}";
    return verdict(schema, "\"" + std::string(text) + "\"") == "allowed";
  };
  EXPECT_TRUE(is("date", "2024-02-29"));
  EXPECT_FALSE(is("date", "2023-02-29"));
  EXPECT_FALSE(is("date", "1900-02-29"));
  EXPECT_TRUE(is("date", "2000-02-29"));
  EXPECT_TRUE(is("date-time", "2024-12-31T23:59:59.123Z"));
  EXPECT_FALSE(is("date-time", "2024-12-31T24:00:00Z"));
  EXPECT_TRUE(is("time", "12:00:00+02:00"));
  EXPECT_TRUE(is("email", "a.b+c@example.org"));
  EXPECT_FALSE(is("email", "a..b@example.org"));
  EXPECT_FALSE(is("email", ", "));
  EXPECT_TRUE(is("ipv4", "127.0.0.1"));
  EXPECT_FALSE(is("ipv4", "127.0.0.01"));
  EXPECT_FALSE(is("ipv4", "256.0.0.1"));
  for (const char* good : {"::", "::1", "1::", "1:2:3:4:5:6:7:8", "1:2::7:8", "::ffff:1.2.3.4", "1:2:3:4:5:6:1.2.3.4"}) {
    EXPECT_TRUE(is("ipv6", good)) << good;
  }
  for (const char* bad : {":", "1:2", "1::2::3", "1:2:3:4:5:6:7:8:9", "::12345", "1:2:3:4:5:6:7:1.2.3.4"}) {
    EXPECT_FALSE(is("ipv6", bad)) << bad;
  }
  EXPECT_TRUE(is("uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d16380"));
  EXPECT_TRUE(is("uri", "https://user@example.org:80/a/b?c=d#e"));
  EXPECT_TRUE(is("uri", "urn:isbn:1"));
  EXPECT_FALSE(is("uri", "//example.org"));
  EXPECT_FALSE(is("uri", "http:// a"));
  EXPECT_TRUE(is("hostname", "a-b.example"));
  EXPECT_FALSE(is("hostname", "-a.example"));
  EXPECT_TRUE(is("duration", "P1DT12H"));
  EXPECT_FALSE(is("duration", "P"));
}

}  // namespace
}  // namespace lfm::constrain
