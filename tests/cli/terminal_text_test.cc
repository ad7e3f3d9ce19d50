// What of a text reaches the terminal.
#include "talk/terminal_text.h"

#include <gtest/gtest.h>

#include <random>

namespace lfm::cli {
namespace {

TEST(TerminalText, OrdinaryTextStays) {
  for (const std::string text :
       {"", "Hello,\n\tworld", "naïve 日本語 🦊 e\u0301", "\u00a0\u2028", "עברית"}) {
    EXPECT_EQ(shown(text), text);
  }
}

TEST(TerminalText, ControlCharactersBecomePictures) {
  EXPECT_EQ(shown("\x1b[2J"), "␛[2J");
  EXPECT_EQ(shown("\x1b]52;c;aGk=\x07"), "␛]52;c;aGk=␇");
  EXPECT_EQ(shown(std::string_view("a\0b", 3)), "a␀b");
  EXPECT_EQ(shown("over\rwrite\b\x7f"), "over␍write␈␡");
  EXPECT_EQ(shown("\x05\x0b\x0c\x0e"), "␅␋␌␎");
}

TEST(TerminalText, C1BecomesItsNumber) {
  EXPECT_EQ(shown("\u009b6n"), "<U+009B>6n");
  EXPECT_EQ(shown("\u0080\u0085\u009f"), "<U+0080><U+0085><U+009F>");
}

TEST(TerminalText, DeceptionsBecomeTheirNumber) {
  EXPECT_EQ(shown("a\u202eb\u2066c"), "a<U+202E>b<U+2066>c");
  EXPECT_EQ(shown("\u061c\u200e\u200f"), "<U+061C><U+200E><U+200F>");
  EXPECT_EQ(shown("\u200c\u200d"), "\u200c\u200d") << "which join letters and pictures";
  EXPECT_EQ(shown("\U000E0041\U000E007F"), "<U+E0041><U+E007F>");
}

TEST(TerminalText, WhatIsNotUtf8) {
  EXPECT_EQ(shown("\x9b"
                  "31m"),
            "\uFFFD31m");                        // C1 as one byte
  EXPECT_EQ(shown("\xc0\x9b"), "\uFFFD\uFFFD");  // overlong
  EXPECT_EQ(shown("\xc1\x80\xe0\x80\x9b"), "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(shown("\xed\xa0\x80"), "\uFFFD\uFFFD\uFFFD");            // a surrogate
  EXPECT_EQ(shown("\xf4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");  // beyond Unicode
  EXPECT_EQ(shown("\xe6\x97"
                  "\x1b[m"),
            "\uFFFD␛[m");                      // cut off by an escape
  EXPECT_EQ(shown("\xf0\x9f\x98"), "\uFFFD");  // cut off by the end
  EXPECT_EQ(shown("\xf5\xff"), "\uFFFD\uFFFD");
}

// Whether a terminal would take any of it as more than characters to show.
bool harmless(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F) return false;
    if (byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) return false;
  }
  return true;
}

TEST(TerminalText, AnyBytesCutAnywhereShowTheSame) {
  std::mt19937 random(5);
  const std::string parts[] = {"a",    "\x1b[", "\u009b", "日", "🦊", "\xe6",
                               "\xc2", "\x80",  "\u202e", "\r", "\xff", "\n"};
  for (int round = 0; round < 2000; ++round) {
    std::string text;
    for (std::size_t n = random() % 12; n > 0; --n) {
      text += random() % 4 == 0 ? std::string(1, static_cast<char>(random())) : parts[random() % std::size(parts)];
    }
    TerminalText filter;
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t count = 1 + random() % 3;
      out += filter.show(text.substr(at, count));
      at += count;
    }
    out += filter.finish();
    ASSERT_EQ(out, shown(text)) << "round " << round;
    ASSERT_TRUE(harmless(out)) << "round " << round;
    ASSERT_EQ(shown(out), out) << "round " << round;
  }
}

}  // namespace
}  // namespace lfm::cli
