// Time in proportion: what nothing cuts must not cost more per byte the longer it is. And the largest vocabulary known.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <ctime>
#include <string>
#include <vector>

#include "tests/text/sample.h"
#include "text/tokenizer.h"

namespace lfm::text {
namespace {

// Of this process, so that others on the machine don't count.
double processor_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

// Memory once had is used again: in a virtual machine the first touch of a page can take longer than what is in it.
void keep_memory() {
  constexpr int kLargest = 32 << 20;  // that the C library takes
  ::mallopt(M_MMAP_THRESHOLD, kLargest);
  ::mallopt(M_TRIM_THRESHOLD, 16 * kLargest);
}

double seconds_to_encode(const std::string& text) {
  double best = 1e9;
  for (int round = 0; round < 3; ++round) {
    const double begin = processor_seconds();
    const auto ids = sample_tokenizer().encode(text);
    best = std::min(best, processor_seconds() - begin);
    EXPECT_TRUE(ids.ok());
  }
  return best;
}

TEST(TokenizerTime, GrowsWithTheTextEvenWhereNothingCutsIt) {
  keep_memory();
  const std::string_view units[] = {"a", " ", "\n", "Z", ".", "\u4F60", "\u0301", "1", "\n ", "<|", "\x80", "ab"};
  constexpr std::size_t kBytes = std::size_t{1} << 17;
  for (const std::string_view unit : units) {
    std::string text;
    while (text.size() < kBytes) text += unit;
    // The machine is shared: a single calm measurement of five is enough. The longer text may leave the caches, which
    // makes up to 8 of 4. Squared, the ratio would be 16.
    double ratio = 0;
    for (int attempt = 0; attempt < 5; ++attempt) {
      const double once = seconds_to_encode(text);
      const double four_times = seconds_to_encode(text + text + text + text);
      ratio = four_times / once;
      if (ratio <= 10) break;
    }
    EXPECT_LE(ratio, 10) << "'" << unit << "'";
  }
}

// A token of a hostile file that a text seems to begin with everywhere.
TEST(TokenizerTime, OfATokenThatNearlyComes) {
  keep_memory();
  OwnedTokenizerData data = sample_data();
  for (const std::string& token : {std::string(1022, 'a') + "b", "b" + std::string(1022, 'a')}) {
    data.tokens.push_back(token);
    data.types.push_back(static_cast<std::int32_t>(TokenType::kUserDefined));
  }
  const auto hostile = Tokenizer::create(data.view());
  ASSERT_TRUE(hostile.ok()) << hostile.error().describe();
  const std::string text(std::size_t{1} << 20, 'a');
  const auto seconds = [&](AddedTokens added) {
    const double begin = processor_seconds();
    EXPECT_TRUE(hostile->encode(text, {.added_tokens = added}).ok());
    return processor_seconds() - begin;
  };
  double with = 1e9, without = 1e9;  // the best of a few, taken by turns, as the machine is shared
  for (int round = 0; round < 7 && (round < 3 || with >= 2 * without); ++round) {
    with = std::min(with, seconds(AddedTokens::kUserDefined));
    without = std::min(without, seconds(AddedTokens::kNone));
  }
  EXPECT_LT(with, 2 * without);
}

// A vocabulary of the size of LFM2.5's: after the bytes, all strings of ten letters in order of their length, up to
// 128,000 tokens; of the pairs that make them, the first 293,320.
OwnedTokenizerData large_vocabulary() {
  constexpr std::size_t kTokens = 128000, kMerges = 293320, kBytesEnd = 272;
  constexpr std::string_view kLetters = "aeiounrstl";
  OwnedTokenizerData data = sample_data();
  data.tokens.resize(kBytesEnd);
  data.merges.clear();
  std::vector<std::string> strings = {""};
  for (std::size_t i = 0; data.tokens.size() < kTokens; ++i) {
    for (const char letter : kLetters) {
      const std::string joint = strings[i] + letter;
      strings.push_back(joint);
      if (joint.size() == 1 || data.tokens.size() == kTokens) continue;
      data.tokens.push_back(joint);
      for (std::size_t cut = 1; cut < joint.size() && data.merges.size() < kMerges; ++cut) {
        data.merges.push_back(joint.substr(0, cut) + " " + joint.substr(cut));
      }
    }
  }
  data.types.resize(kTokens, 1);
  return data;
}

TEST(TokenizerTime, LargeVocabularyLoadsAtOnce) {
  const OwnedTokenizerData owned = large_vocabulary();
  const TokenizerData data = owned.view();
  EXPECT_EQ(data.merges.size(), 293320u);
  const double begin = processor_seconds();
  const auto tokenizer = Tokenizer::create(data);
  const double took = processor_seconds() - begin;
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().describe();
  RecordProperty("milliseconds", static_cast<int>(took * 1000));
  EXPECT_LT(took, 3.0);
  const std::string text = "The quick brown fox jumps over the lazy dog";
  const auto ids = tokenizer->encode(text);
  ASSERT_TRUE(ids.ok());
  EXPECT_EQ(*tokenizer->decode(*ids), text);
}

}  // namespace
}  // namespace lfm::text
