#include "text/merges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "tests/text/sample.h"

namespace lfm::text {
namespace {

// The definition, in quadratic time: find the best pair, the leftmost of them, join it, begin anew.
std::vector<std::string> join_slowly(std::string_view piece,
                                     const std::vector<std::pair<std::string, std::string>>& merges) {
  std::vector<std::string> symbols;
  for (const char c : piece) symbols.emplace_back(1, c);
  for (;;) {
    std::size_t best_rank = merges.size(), best = 0;
    for (std::size_t i = 0; i + 1 < symbols.size(); ++i) {
      for (std::size_t rank = 0; rank < best_rank; ++rank) {
        if (merges[rank].first == symbols[i] && merges[rank].second == symbols[i + 1]) best_rank = rank, best = i;
      }
    }
    if (best_rank == merges.size()) return symbols;
    symbols[best] += symbols[best + 1];
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best) + 1);
  }
}

// The 256 bytes of the sample and, of a three-letter alphabet, merges made at random.
struct RandomMerges {
  OwnedTokenizerData data;
  std::vector<std::pair<std::string, std::string>> merges;

  explicit RandomMerges(unsigned seed) {
    std::mt19937 random(seed);
    data.rest = sample_data().rest;
    for (std::size_t id = 0; id < 272; ++id) {
      data.tokens.push_back(sample_data().tokens[id]);
      data.types.push_back(sample_data().types[id]);
    }
    std::vector<std::string> texts = {"a", "b", "c"};
    while (merges.size() < 40) {
      const std::pair pair = {texts[random() % texts.size()], texts[random() % texts.size()]};
      const std::string joint = pair.first + pair.second;
      if (joint.size() > 12 || std::find(merges.begin(), merges.end(), pair) != merges.end()) continue;
      merges.push_back(pair);
      data.merges.push_back(pair.first + " " + pair.second);
      if (std::find(texts.begin(), texts.end(), joint) != texts.end()) continue;
      texts.push_back(joint);
      data.tokens.push_back(joint);
      data.types.push_back(1);
    }
  }
};

TEST(Merges, JoinsAsTheDefinitionSays) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    const RandomMerges made(seed);
    const TokenizerData data = made.data.view();
    const auto vocabulary = Vocabulary::create(data);
    ASSERT_TRUE(vocabulary.ok()) << vocabulary.error().describe();
    const auto merges = Merges::create(data, *vocabulary);
    ASSERT_TRUE(merges.ok()) << merges.error().describe();
    std::mt19937 random(seed);
    Merges::Scratch scratch;
    for (int round = 0; round < 50; ++round) {
      std::string piece;
      for (std::size_t i = random() % 60; i > 0; --i) piece += static_cast<char>('a' + random() % 3);
      std::vector<TokenId> ids;
      merges->encode(piece, *vocabulary, scratch, ids);
      std::vector<std::string> texts;
      for (const TokenId id : ids) texts.emplace_back(vocabulary->bytes(id));
      ASSERT_EQ(texts, join_slowly(piece, made.merges)) << piece;
    }
  }
}

TEST(Merges, NothingFromNothing) {
  const auto vocabulary = Vocabulary::create(sample_data().view());
  ASSERT_TRUE(vocabulary.ok());
  const auto merges = Merges::create(sample_data().view(), *vocabulary);
  ASSERT_TRUE(merges.ok());
  Merges::Scratch scratch;
  std::vector<TokenId> ids;
  merges->encode("", *vocabulary, scratch, ids);
  EXPECT_TRUE(ids.empty());
}

}  // namespace
}  // namespace lfm::text
