#include "engine/generate/stop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace lfm::engine {
namespace {

StopMatcher make(std::vector<std::string> stops) {
  auto matcher = StopMatcher::create(std::move(stops));
  EXPECT_TRUE(matcher.ok());
  return *std::move(matcher);
}

TEST(StopMatcher, KeepsWhatMayBeTheStart) {
  StopMatcher matcher = make({"<end>"});
  std::string out;
  EXPECT_FALSE(matcher.push("a <", out));
  EXPECT_EQ(out, "a ");
  EXPECT_FALSE(matcher.push("en", out));
  EXPECT_EQ(out, "a ");
  EXPECT_FALSE(matcher.push("t <e", out));
  EXPECT_EQ(out, "a <ent ");
  EXPECT_TRUE(matcher.push("nd>dropped", out));
  EXPECT_EQ(out, "a <ent ");
  EXPECT_EQ(matcher.stopped_by(), 0u);
  matcher.flush(out);
  EXPECT_EQ(out, "a <ent ");
}

TEST(StopMatcher, FlushGivesBackWhatWasKept) {
  StopMatcher matcher = make({"\n\nUser:", "###"});
  std::string out;
  EXPECT_FALSE(matcher.push("x\n\nUs", out));
  EXPECT_EQ(out, "x");
  matcher.flush(out);
  EXPECT_EQ(out, "x\n\nUs");
  EXPECT_FALSE(matcher.push("er:", out));  // as new
  EXPECT_EQ(out, "x\n\nUser:");
}

TEST(StopMatcher, TheFirstToEndCountsAndOfThoseTheLongest) {
  StopMatcher matcher = make({"bc", "abcd", "xabc"});
  std::string out;
  EXPECT_TRUE(matcher.push("zabcd", out));
  EXPECT_EQ(out, "za");
  EXPECT_EQ(matcher.stopped_by(), 0u);
  matcher.reset();
  out.clear();
  EXPECT_TRUE(matcher.push("zxabcd", out));
  EXPECT_EQ(out, "z");
  EXPECT_EQ(matcher.stopped_by(), 2u);
}

TEST(StopMatcher, StringsThatOverlapThemselves) {
  StopMatcher matcher = make({"aab"});
  std::string out;
  EXPECT_FALSE(matcher.push("aaaa", out));
  EXPECT_EQ(out, "aa");
  EXPECT_TRUE(matcher.push("b", out));
  EXPECT_EQ(out, "aa");
}

TEST(StopMatcher, WithoutStringsEverythingPasses) {
  StopMatcher matcher = make({});
  std::string out;
  EXPECT_FALSE(matcher.push("text", out));
  EXPECT_EQ(out, "text");
}

TEST(StopMatcher, EmptyStringsAreRefused) {
  const auto matcher = StopMatcher::create({"a", ""});
  ASSERT_FALSE(matcher.ok());
  EXPECT_EQ(matcher.error().code, ErrorCode::kArgument);
  EXPECT_EQ(matcher.error().index, 1u);
}

// The definition: the text up to where the stop string begins that ends first.
std::string cut_slowly(const std::string& text, const std::vector<std::string>& stops) {
  for (std::size_t end = 1; end <= text.size(); ++end) {
    std::size_t longest = 0;
    for (const std::string& stop : stops) {
      if (std::string_view(text).substr(0, end).ends_with(stop)) longest = std::max(longest, stop.size());
    }
    if (longest > 0) return text.substr(0, end - longest);
  }
  return text;
}

TEST(StopMatcher, EqualsTheDefinitionHoweverTheTextIsCut) {
  std::mt19937 random(1);
  const auto random_text = [&](std::size_t most) {
    std::string text;
    for (std::size_t i = random() % most; i > 0; --i) text += static_cast<char>('a' + random() % 2);
    return text;
  };
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::string> stops;
    for (std::size_t i = random() % 4; i > 0; --i) stops.push_back(random_text(8) + "ab"[random() % 2]);
    const std::string text = random_text(60);
    const std::string expected = cut_slowly(text, stops);
    StopMatcher matcher = make(stops);
    std::string out;
    bool stopped = false;
    for (std::size_t at = 0; at < text.size() && !stopped;) {
      const std::size_t length = random() % 5;
      stopped = matcher.push(std::string_view(text).substr(at, length), out);
      ASSERT_TRUE(expected.starts_with(out)) << text;  // nothing is taken back
      at += length;
    }
    matcher.flush(out);
    ASSERT_EQ(out, expected) << text;
  }
}

}  // namespace
}  // namespace lfm::engine
