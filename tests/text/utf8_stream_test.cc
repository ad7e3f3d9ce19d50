#include "text/utf8_stream.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "text/utf8.h"

namespace lfm::text {
namespace {

std::string whole(std::string_view bytes) {
  Utf8Stream stream;
  std::string out;
  stream.push(bytes, out);
  stream.flush(out);
  return out;
}

TEST(Utf8Stream, HoldsAPartOfACodePoint) {
  Utf8Stream stream;
  std::string out;
  stream.push("a\xE6", out);
  EXPECT_EQ(out, "a");
  stream.push("\xAD", out);
  EXPECT_EQ(out, "a");
  stream.push(
      "\xA3"
      "b\xF0\x9F",
      out);
  EXPECT_EQ(out,
            "a\u6B63"
            "b");
  stream.push("", out);
  stream.push("\x99\x82", out);
  EXPECT_EQ(out,
            "a\u6B63"
            "b\U0001F642");
  stream.flush(out);
  EXPECT_EQ(out,
            "a\u6B63"
            "b\U0001F642");
}

TEST(Utf8Stream, FlushReplacesABrokenTail) {
  Utf8Stream stream;
  std::string out;
  stream.push("a\xF0\x9F\x99", out);
  stream.flush(out);
  EXPECT_EQ(out, "a\uFFFD");
  stream.push("\x82", out);  // as new: this is no continuation of what was flushed
  EXPECT_EQ(out, "a\uFFFD\uFFFD");
}

TEST(Utf8Stream, OneReplacementForEachMaximalSubpart) {
  // Tables 3-8 to 3-11 of the Unicode standard.
  EXPECT_EQ(whole("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82"
                  "A"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA");
  EXPECT_EQ(whole("\xED\xA0\x80\xED\xBF\xBF\xED\xAF"
                  "A"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA");
  EXPECT_EQ(whole("\xF4\x91\x92\x93\xFF"
                  "A\x80\xBF"
                  "B"),
            "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA\uFFFD\uFFFDB");
  EXPECT_EQ(whole("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF"
                  "A"),
            "\uFFFD\uFFFD\uFFFD\uFFFDA");
}

TEST(Utf8Stream, RawModePassesEverything) {
  Utf8Stream stream(Utf8Stream::Mode::kRaw);
  std::string out;
  stream.push("\xF0\x9F", out);
  EXPECT_EQ(out, "\xF0\x9F");
  stream.flush(out);
  EXPECT_EQ(out, "\xF0\x9F");
}

TEST(Utf8Stream, CutsDoNotMatterAndOutputIsAlwaysUtf8) {
  std::mt19937 random(1);
  const std::string_view parts[] = {"a",    "\xC3\xA9", "\u6B63", "\U0001F642", "\xF0",
                                    "\x9F", "\x80",     "\xED",   "\xE0",       "\xF4"};
  for (int round = 0; round < 20000; ++round) {
    std::string bytes;
    for (std::size_t i = random() % 12; i > 0; --i) bytes += parts[random() % std::size(parts)];
    Utf8Stream stream;
    std::string out;
    for (std::size_t at = 0; at < bytes.size();) {
      const std::size_t length = random() % 4;
      stream.push(std::string_view(bytes).substr(at, length), out);
      at += length;
      ASSERT_TRUE(is_utf8(out)) << round;
    }
    stream.flush(out);
    ASSERT_EQ(out, whole(bytes)) << round;
  }
}

TEST(Utf8, EveryScalarValueAndNothingElse) {
  for (char32_t c = 0x10000; c < 0x120000; c += 0x101) {
    const char bytes[] = {static_cast<char>(0xF0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 0x3F)),
                          static_cast<char>(0x80 | (c >> 6 & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
    const CodePoint point = decode_utf8({bytes, 4}, 0);
    EXPECT_EQ(point.form == Utf8Form::kWhole, c < 0x110000);
    EXPECT_EQ(point.value, c < 0x110000 ? c : kReplacementCharacter);
  }
}

}  // namespace
}  // namespace lfm::text
