// Markdown on a terminal.
#include "talk/markdown.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace lfm::cli {
namespace {

std::string shown(std::string_view text, std::size_t columns = 0, bool looks = true) {
  Markdown markdown(columns, looks);
  std::string out = markdown.show(text);
  return out + markdown.finish();
}

// Looks as letters: B bold, I italic, C code, F faint, and } for the end of them.
std::string looks_of(std::string_view text, std::size_t columns = 0) {
  std::string out;
  const std::string all = shown(text, columns);
  for (std::size_t at = 0; at < all.size(); ++at) {
    if (all[at] != '\x1b') {
      out += all[at];
      continue;
    }
    const std::string code = all.substr(at + 2, all.find('m', at) - at - 2);
    out += code == "0" ? "}" : code == "1" ? "{B" : code == "2" ? "{F" : code == "3" ? "{I" : "{C";
    at = all.find('m', at);
  }
  return out;
}

TEST(Markdown, MarksBecomeLooks) {
  EXPECT_EQ(looks_of("a **bold text** and *this*, ***both***, `code * x`."),
            "a {Bbold text} and {Ithis}, {B{Iboth}, {Ccode * x}.");
  EXPECT_EQ(looks_of("**with `code ** inside` it**"), "{Bwith }{B{Ccode ** inside}{B it}");
  EXPECT_EQ(looks_of("# Title\ntext"), "{BTitle}\ntext");
  EXPECT_EQ(looks_of("- one\n  * two\n3. three"), "• one\n  • two\n3. three");
  EXPECT_EQ(looks_of("> said\n---\n"), "{F│ }said\n{F────────────────────}\n");
  EXPECT_EQ(looks_of("```c\nint **x;\n```\n*it*"), "{F```c}\n{Cint **x;}\n{F```}\n{Iit}");
}

TEST(Markdown, ABackslashTakesTheMeaningFromMarks) {
  EXPECT_EQ(looks_of(R"(2 \* 3, snake\_case, \`x\`, **a \** b** and 1\. end\)"),
            "2 * 3, snake_case, `x`, {Ba ** b} and 1. end\\");
  EXPECT_EQ(looks_of("\\# no title\n\\- no list\n"), "# no title\n- no list\n");
  EXPECT_EQ(looks_of(R"(\\*it* \(x\) C:\dir\*.c `a\*b`)"), R"(\\{Iit} \(x\) C:\dir\*.c {Ca\*b})")
      << "formulas, paths and code keep theirs";
  EXPECT_EQ(looks_of("a\\\nb"), "a\\\nb");
  EXPECT_EQ(shown(R"(\*)", 0, false), R"(\*)");
}

TEST(Markdown, WhatHasNoOtherHalfStays) {
  for (const char* text :
       {"**kwargs are *args", "2 * 3 * 4 and a*b*c", "snake_case_name and __init__", "`open", "** a **", "#hash #tag",
        "-5 is 1.5", "x ** y ** z", "****", "a_b_ c", "***", "|a|**b**|", "C:\\*", "+"}) {
    EXPECT_EQ(shown(text), text);
  }
  EXPECT_EQ(shown("*a\nb*\n"), "*a\nb*\n") << "the other half has to come in the line";
  const std::string far = "**" + std::string(1000, 'x') + "**";
  EXPECT_EQ(shown(far), far);
}

TEST(Markdown, WithoutLooksAllStays) {
  const std::string text = "# T\n- **b** `c`\n```\nx\n```\n| a |\n";
  EXPECT_EQ(shown(text, 0, false), text);
}

TEST(Markdown, LinesEndBetweenWords) {
  EXPECT_EQ(shown("one two three four five six", 20), "one two three four\nfive six");
  EXPECT_EQ(shown("- one two three four five six", 20), "• one two three four\n  five six");
  EXPECT_EQ(shown("12. one two three four five", 20), "12. one two three\n    four five");
  EXPECT_EQ(shown("a " + std::string(30, 'x') + " b", 20), "a\n" + std::string(30, 'x') + "\nb");
  EXPECT_EQ(shown("日本語の文字は幅が二つあります", 20), "日本語の文字は幅が二\nつあります");
  EXPECT_EQ(shown("one two three four five six", 7), "one two three four five six") << "too narrow to be broken";
  for (const char* left : {"| one two three | four five six |\n", "```\none two three four five six\n```\n"})
    EXPECT_EQ(shown(left, 20, false), left == std::string("```\none two three four five six\n```\n")
                                          ? "```\none two three four\nfive six\n```\n"
                                          : "| one two three |\nfour five six |\n");
  EXPECT_EQ(looks_of("| one two three | four five six |\n", 20), "| one two three | four five six |\n");
  EXPECT_EQ(looks_of("```\none two three four five six\n```\n", 20),
            "{F```}\n{Cone two three four five six}\n{F```}\n");
}

TEST(Markdown, WordsAreShownOnceTheyHaveEnded) {
  Markdown markdown(40, true);
  EXPECT_EQ(markdown.show("one tw"), "one");
  EXPECT_EQ(markdown.show("o **th"), " two");
  EXPECT_EQ(markdown.show("ree**"), "");
  EXPECT_EQ(markdown.show(" "), " \x1b[1mthree");
  EXPECT_EQ(markdown.show("```\nx"), "\x1b[0m ```\n") << "no block of code within a line";
}

std::string without_looks(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\x1b') {
      at = text.find('m', at);
    } else {
      out += text[at];
    }
  }
  return out;
}

std::string random_text(std::mt19937& random) {
  constexpr const char* kParts[] = {
      "*",  "**",  "_",   "`",  "```",   "\n",  "\n\n", " ",     " ",  "word", "longer words here",
      "# ", "- ",  "1. ", "> ", "| a |", "---", "\\",   "日本",  "é",  "x",    "~~~",
      "  ", "***", "a_b", "(",  ".",     "* ",  "+ ",   "2 * 3", "``", "\t"};
  std::string text;
  for (std::size_t n = random() % 60; n > 0; --n) text += kParts[random() % std::size(kParts)];
  return text;
}

// However the text is cut, the same comes out, and nothing of it is lost but marks and spaces.
TEST(Markdown, AnyCutGivesTheSame) {
  std::mt19937 random(3);
  for (int round = 0; round < 6000; ++round) {
    const std::string text = random_text(random);
    const std::size_t columns = random() % 3 == 0 ? 0 : 20 + random() % 30;
    const std::string whole = shown(text, columns);
    Markdown markdown(columns, true);
    std::string cut, piece;
    each_character(text, [&](std::string_view character) {
      piece += character;
      if (random() % 3 != 0) return;
      cut += markdown.show(piece);
      piece.clear();
    });
    cut += markdown.show(piece);
    cut += markdown.finish();
    ASSERT_EQ(cut, whole) << testing::PrintToString(text);

    const auto letters = [](std::string_view from) {
      std::string out;
      each_character(from, [&](std::string_view c) {
        if (std::string_view("*_`~#->+|\\• \t\n│─").find(c) == std::string_view::npos) out += c;
      });
      return out;
    };
    ASSERT_EQ(letters(without_looks(whole)), letters(text)) << testing::PrintToString(text);
    const auto breaks = [](std::string_view from) { return std::count(from.begin(), from.end(), '\n'); };
    ASSERT_GE(breaks(whole), breaks(text)) << testing::PrintToString(text);
    ASSERT_TRUE(columns > 0 || breaks(whole) == breaks(text)) << testing::PrintToString(text);
  }
}

}  // namespace
}  // namespace lfm::cli
