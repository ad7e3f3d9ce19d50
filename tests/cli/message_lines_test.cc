// Messages of several lines.
#include "talk/message_lines.h"

#include <gtest/gtest.h>

#include <vector>

namespace lfm::cli {
namespace {

// Every line but the last leaves the input open.
std::string joined(const std::vector<std::string>& lines) {
  MessageLines input;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(input.add(lines[i]), i + 1 == lines.size()) << "line " << i << ": " << lines[i];
    EXPECT_EQ(input.begun(), i + 1 != lines.size());
  }
  return input.text();
}

TEST(MessageLines, OneLine) {
  EXPECT_EQ(joined({"Hello"}), "Hello");
  EXPECT_EQ(joined({""}), "");
  EXPECT_EQ(joined({"pasted\nlines\n"}), "pasted\nlines\n");
}

TEST(MessageLines, ABackslashGoesOn) {
  EXPECT_EQ(joined({
                "a\\",
                "b\\",
                "",
            }),
            "a\nb\n");
  EXPECT_EQ(joined({"\\", "b"}), "\nb");
  EXPECT_EQ(joined({"C:\\\\"}), "C:\\\\");
  EXPECT_EQ(joined({"three\\\\\\", "b"}), "three\\\\\nb");
  EXPECT_EQ(joined({"a\\ "}), "a\\ ");
  EXPECT_EQ(joined({"a\\", "\"\"\"b"}), "a\n\"\"\"b");
}

TEST(MessageLines, QuotesHoldABlock) {
  EXPECT_EQ(joined({"\"\"\"", "a", "", "b\\", "\"\"\""}), "a\n\nb\\");
  EXPECT_EQ(joined({"\"\"\"a", "b\"\"\""}), "a\nb");
  EXPECT_EQ(joined({"\"\"\"one line\"\"\""}), "one line");
  EXPECT_EQ(joined({"\"\"\"\"\"\""}), "");
  EXPECT_EQ(joined({"\"\"\"", "\"\"\""}), "");
  EXPECT_EQ(joined({"\"\"\"", "", "a", "", "\"\"\""}), "\na\n");
  EXPECT_EQ(joined({"\"\"\"pasted\nlines\"\"\""}), "pasted\nlines");
}

TEST(MessageLines, WhatIsPastedHasNoMeaning) {
  MessageLines input;
  for (const std::string text : {"\"\"\"Adds.\"\"\"\ndef add(a, b):\n  return a + b", "cat a \\", "/undo", "\"\"\"", "\\"}) {
    EXPECT_TRUE(input.add(text, {true, true}));
    EXPECT_EQ(input.text(), text);
    EXPECT_TRUE(input.literal());
  }
  EXPECT_FALSE(input.add("a\\", {true, false})) << "what was typed behind it goes on";
  EXPECT_TRUE(input.add("b\\", {false, true})) << "what was pasted behind it doesn't";
  EXPECT_EQ(input.text(), "a\nb\\");
  EXPECT_FALSE(input.add("\"\"\"typed"));
  EXPECT_FALSE(input.add("x\"\"\"", {true, true})) << "a block that was begun by hand ends by hand";
  EXPECT_TRUE(input.add("\"\"\""));
  EXPECT_EQ(input.text(), "typed\nx\"\"\"");
}

TEST(MessageLines, KnowsWhatWasQuoted) {
  MessageLines input;
  input.add("\"\"\"/undo\"\"\"");
  EXPECT_TRUE(input.literal());
  EXPECT_EQ(input.text(), "/undo");
  input.add("/undo");
  EXPECT_FALSE(input.literal());
  input.add("\"\"\"");
  input.drop();
  EXPECT_FALSE(input.begun());
  EXPECT_TRUE(input.add("next"));
  EXPECT_EQ(input.text(), "next");
}

}  // namespace
}  // namespace lfm::cli
