// Which tokens a draft network guesses, beside the texts that they are of.
#include "model/shortlist.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace lfm::test {
namespace {

using model::Shortlist;

std::set<std::uint32_t> others_of(const Shortlist& list) {
  const std::set<std::uint32_t> others(list.others().begin(), list.others().end());
  EXPECT_EQ(others.size(), list.others().size());  // each once
  return others;
}

void read(Shortlist& list, std::vector<std::int32_t> tokens) {
  list.read(tokens);
}

TEST(Shortlist, IsAllOfASmallVocabulary) {
  for (const std::size_t vocab : {1u, 300u, 32768u}) {
    Shortlist list(vocab);
    read(list, {static_cast<std::int32_t>(vocab) - 1});
    EXPECT_EQ(list.first(), (vocab + 15) / 16);
    EXPECT_TRUE(list.others().empty());
  }
}

TEST(Shortlist, HasWhatWasReadBeyondItsBeginning) {
  Shortlist list(1000, 100, 3);
  EXPECT_EQ(list.first(), 7u);  // the tile of token 99, whole
  read(list, {5, 99, 111});
  EXPECT_TRUE(list.others().empty());
  read(list, {112, 113, 127, 128, 999});
  EXPECT_EQ(others_of(list), (std::set<std::uint32_t>{7, 8, 62}));
  read(list, {160});  // the oldest goes that wasn't read again
  EXPECT_EQ(others_of(list), (std::set<std::uint32_t>{7, 10, 62}));
  read(list, {62 * 16, 176});
  EXPECT_EQ(others_of(list), (std::set<std::uint32_t>{10, 11, 62}));
}

// What is read all the time is there, whatever else comes, and never more than there is room for.
TEST(Shortlist, KeepsWhatIsReadAgainAndAgain) {
  std::mt19937 random(1);
  Shortlist list(128000, 32768, 64);
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::int32_t> tokens;
    for (int i = 0; i < 40; ++i) tokens.push_back(static_cast<std::int32_t>(random() % 128000));
    for (std::int32_t i = 0; i < 8; ++i) tokens.push_back(40000 + 160 * i);
    list.read(tokens);
    EXPECT_LE(list.others().size(), 64u);
    if (round % 100 != 99) continue;
    const std::set<std::uint32_t> others = others_of(list);
    for (std::int32_t i = 0; i < 8; ++i) EXPECT_TRUE(others.contains(2500u + 10 * static_cast<std::uint32_t>(i)));
    for (const std::uint32_t tile : others) EXPECT_TRUE(tile >= list.first() && tile < 8000);
  }
}

}  // namespace
}  // namespace lfm::test
