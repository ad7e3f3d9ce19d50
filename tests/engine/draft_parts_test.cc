// The parts of drafts, each beside something obviously right: the suffix automaton beside a search through the text,
// the curve of costs beside a machine with one, gains and lengths beside texts with known chances.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "engine/draft/drafter.h"
#include "engine/draft/imposed.h"
#include "engine/draft/lookup.h"

namespace lfm::test {
namespace {

using engine::Drafter;
using engine::DraftSource;
using engine::Guess;
using engine::Lookup;
using engine::PassCosts;
using engine::SuffixAutomaton;

// The longest ending that stands elsewhere too, by trying all.
std::size_t longest_match(const std::vector<TokenId>& text) {
  std::size_t longest = 0;
  for (std::size_t end = 1; end < text.size(); ++end) {
    std::size_t length = 0;
    while (length < end && text[end - 1 - length] == text[text.size() - 1 - length]) ++length;
    longest = std::max(longest, length);
  }
  return longest;
}

TEST(SuffixAutomaton, FindsTheLongestEndingThatIsThereTwice) {
  std::mt19937 random(1);
  for (int round = 0; round < 300; ++round) {
    const auto alphabet = static_cast<std::uint32_t>(1 + random() % (round % 2 == 0 ? 3 : 40));
    SuffixAutomaton automaton;
    std::vector<TokenId> text;
    for (std::size_t i = 0; i < 120; ++i) {
      // Now and then something is copied, so that there are long matches in large alphabets too.
      if (i > 10 && random() % 12 == 0) {
        std::size_t from = random() % text.size();
        for (std::size_t n = random() % 12; n > 0; --n) {
          text.push_back(text[from++]);
          automaton.push(text.back());
        }
      }
      text.push_back(static_cast<TokenId>(random() % alphabet) * 1000003);
      automaton.push(text.back());
      const auto [length, end] = automaton.match();
      ASSERT_EQ(length, longest_match(text));
      ASSERT_EQ(automaton.size(), text.size());
      if (length == 0) continue;
      ASSERT_LT(end, text.size());
      ASSERT_TRUE(std::equal(text.end() - static_cast<std::ptrdiff_t>(length), text.end(),
                             text.begin() + static_cast<std::ptrdiff_t>(end - length)));
    }
  }
}

TEST(SuffixAutomaton, TakesTheLatestPlace) {
  SuffixAutomaton automaton;
  for (const TokenId token : {1, 2, 3, 7, 1, 2, 3, 8, 1, 2, 3}) automaton.push(token);
  EXPECT_EQ(automaton.match().length, 3u);
  EXPECT_EQ(automaton.match().end, 7u);  // 8 came last
}

// One thing over and over has as many endings as tokens.
TEST(SuffixAutomaton, IsLinearInMonotonousTexts) {
  SuffixAutomaton automaton;
  for (std::size_t i = 0; i < 200000; ++i) automaton.push(5);
  EXPECT_EQ(automaton.match().length, 199999u);
  for (std::size_t i = 0; i < 200000; ++i) automaton.push(static_cast<TokenId>(i % 2));
  EXPECT_EQ(automaton.match().length, 199998u);
}

std::vector<TokenId> guess_of(Lookup& lookup) {
  const Guess guess = lookup.guess(DraftSource::kLongest);
  return {guess.tokens.begin(), guess.tokens.end()};
}

TEST(Lookup, GuessesWhatCameBehindThreeTokensOrMore) {
  Lookup lookup;
  std::vector<TokenId> text = {1, 2, 3, 4, 5, 6, 9, 1, 2};
  lookup.follow(text);
  EXPECT_TRUE(guess_of(lookup).empty());
  lookup.push(3);
  text.push_back(3);
  std::vector<TokenId> guess = guess_of(lookup);
  ASSERT_EQ(guess.size(), DraftSource::kLongest);
  for (std::size_t i = 0; i < guess.size(); ++i) EXPECT_EQ(guess[i], text[3 + i % 7]);  // goes on in a circle
  EXPECT_EQ(lookup.guess(DraftSource::kLongest).trust_in(0), 0u);
  lookup.push(4);
  EXPECT_EQ(lookup.guess(DraftSource::kLongest).trust_in(0), 1u);

  // An edit, and going back.
  lookup.follow(std::vector<TokenId>{1, 2, 3, 4, 8, 1, 2, 3});
  guess = guess_of(lookup);
  EXPECT_EQ(guess[0], 4);
  EXPECT_EQ(guess[1], 8);
  lookup.follow(std::vector<TokenId>{1, 2, 3, 4});
  EXPECT_TRUE(guess_of(lookup).empty());
  lookup.follow({});
  EXPECT_TRUE(guess_of(lookup).empty());
}

// A machine whose passes take this long, which varies by a fifth.
double pass_seconds(std::size_t rows, std::mt19937& random) {
  const double slope = rows <= 16 ? 0.2 : 0.1;
  const double relative = 1 + slope * static_cast<double>(rows - 1);
  return 0.03 * relative * (0.9 + 0.2 * static_cast<double>(random() % 1000) / 1000);
}

TEST(PassCosts, BecomeTheMachines) {
  std::mt19937 random(2);
  PassCosts costs;
  EXPECT_EQ(costs.of(1), 1);
  EXPECT_GT(costs.of(32), 7);
  for (int i = 0; i < 4000; ++i) {
    const std::size_t rows = 1 + random() % 16;
    costs.learn(rows, i % 97 == 0 ? 3 : pass_seconds(rows, random));  // somebody else had the machine for long
  }
  EXPECT_NEAR(costs.of(1), 0.03, 0.003);
  for (const std::size_t rows : {2, 3, 4, 5, 7, 8, 11, 16}) {
    EXPECT_NEAR(costs.of(rows) / costs.of(1), 1 + 0.2 * static_cast<double>(rows - 1), 0.4) << rows;
  }
  // Those of 32 aren't known, and what is told of others is left alone.
  EXPECT_GT(costs.of(32), costs.of(16));
  EXPECT_GT(costs.of(200), costs.of(64));
  const double before = costs.of(64);
  costs.learn(65, 1);
  costs.learn(0, 1);
  costs.learn(64, 0);
  EXPECT_EQ(costs.of(64), before);
}

TEST(PassCosts, ForgetWhatWasSlowOnce) {
  PassCosts costs;
  costs.learn(1, 0.03);
  const double expected = costs.of(8);
  for (int i = 0; i < 50; ++i) costs.learn(8, 1);
  const double slow = costs.of(8);
  EXPECT_GT(slow, 3 * expected);
  for (int i = 0; i < 3000; ++i) costs.learn(1, 0.03);
  EXPECT_LT(costs.of(8), 1.1 * expected);
}

// Says what it was told to guess, with a trust.
class Told : public DraftSource {
 public:
  void follow(std::span<const TokenId>) override {}
  void push(TokenId) override { ++at_; }
  Guess guess(std::size_t most) override {
    took = each > 0;
    spent += seconds(most);
    ++asked;
    return {std::span(text).subspan(std::min(at_, text.size())).first(std::min(most, text.size() - at_)), trust};
  }
  double expected(std::size_t) const noexcept override { return 0.5; }
  std::size_t longest() const noexcept override { return block; }
  double seconds(std::size_t tokens) const noexcept override {
    return took ? each * (4 + static_cast<double>(tokens)) : 0;
  }

  std::vector<TokenId> text;
  std::size_t trust = 3;
  std::size_t block = kLongest;
  double each = 0;    // what a guess takes, as ModelSource's do
  bool took = false;  // which is known once it was asked
  double spent = 0;
  std::size_t asked = 0;

 private:
  std::size_t at_ = 0;
};

// Tokens that a drafter has read ahead and that come, and passes, of a text whose guesses are right with a chance.
struct Outcome {
  double drafted = 0, accepted = 0, passes = 0, seconds = 0;
};
Outcome play(double chance, std::size_t tokens) {
  std::mt19937 random(3);
  auto source = std::make_unique<Told>();
  std::vector<TokenId> said(tokens);
  for (TokenId& token : said) token = static_cast<TokenId>(random() % 50);
  source->text = said;
  for (TokenId& token : source->text) {
    if (static_cast<double>(random() % 10000) >= chance * 10000) token = 99;
  }
  Drafter drafter(std::move(source));
  PassCosts costs;
  Outcome out;
  std::size_t at = 0;
  while (at < tokens) {
    drafter.push(said[at++]);
    const auto ahead = drafter.next(tokens - at, 1, costs);
    const double seconds = pass_seconds(1 + ahead.size(), random);
    costs.learn(1 + ahead.size(), seconds);
    out.drafted += static_cast<double>(ahead.size());
    out.passes += 1;
    out.seconds += seconds;
    const std::vector<TokenId> read(ahead.begin(), ahead.end());
    for (std::size_t i = 0; i < read.size() && read[i] == said[at]; ++i) {
      drafter.push(said[at++]);
      out.accepted += 1;
    }
  }
  return out;
}

// A network that guesses nine tokens, each of which comes with a chance of its own.
class Network : public DraftSource {
 public:
  static constexpr std::size_t kBlock = 9;
  static constexpr double kStep = 0.03;          // seconds of a pass of one row
  static constexpr double kGuess = 0.3 * kStep;  // of a whole guess

  void follow(std::span<const TokenId>) override {}
  void push(TokenId) override { ++at_; }
  Guess guess(std::size_t most) override {
    took_ = true;
    const std::size_t count = std::min(most, text.size() - at_);
    spent += seconds(count);
    ++asked;
    return {std::span(text).subspan(at_, count), 0, std::span(trusts).subspan(at_, count)};
  }
  double expected(std::size_t trust) const noexcept override { return expected_of(trust); }
  std::size_t longest() const noexcept override { return kBlock; }
  double seconds(std::size_t tokens) const noexcept override {
    return took_ ? kGuess * (4 + static_cast<double>(tokens)) / (4 + kBlock) : 0;
  }

  static double expected_of(std::size_t trust) { return (static_cast<double>(trust) + 0.5) / kTrusts; }
  static std::uint8_t trust_of(double chance) {
    return static_cast<std::uint8_t>(std::min(chance, 0.999) * static_cast<double>(kTrusts));
  }

  std::vector<TokenId> text;
  std::vector<std::uint8_t> trusts;
  double spent = 0;
  std::size_t asked = 0;

 private:
  bool took_ = false;
  std::size_t at_ = 0;
};

enum class Knows { kNothing, kTheMean, kEachToken };

// Seconds that a text takes, of which so many tokens come as they are guessed.
double play_network(double chance, Knows knows, std::size_t tokens, std::uint32_t seed, std::size_t* asked = nullptr) {
  std::mt19937 random(seed);
  const auto uniform = [&] { return static_cast<double>(random() % 100000) / 100000; };
  auto source = std::make_unique<Network>();
  Network& network = *source;
  for (std::size_t i = 0; i < tokens; ++i) {
    // Half of the tokens are surer than others by as much as there is room for.
    const double off = std::min(chance, 1 - chance);
    const double its = knows == Knows::kEachToken ? chance + (random() % 2 == 0 ? off : -off) : chance;
    network.text.push_back(uniform() < its ? 1 : 99);
    network.trusts.push_back(knows == Knows::kNothing ? 1 : Network::trust_of(its));
  }
  Drafter drafter(std::move(source));
  PassCosts costs, really;  // what is expected of a mixture of experts
  double seconds = 0;
  for (std::size_t at = 0; at < tokens;) {
    drafter.push(1);
    ++at;
    const auto ahead = drafter.next(tokens - at, 1, costs);
    const double pass = Network::kStep * really.of(1 + ahead.size());
    costs.learn(1 + ahead.size(), pass);
    seconds += pass;
    const std::vector<TokenId> read(ahead.begin(), ahead.end());
    for (std::size_t i = 0; i < read.size() && read[i] == 1; ++i, ++at) drafter.push(1);
  }
  if (asked != nullptr) *asked = network.asked;
  return seconds + network.spent;
}

// Tokens a step where always so many are guessed and read; the most of all numbers, none included.
double best_of_fixed_lengths(double chance) {
  PassCosts costs;
  double best = 1, tokens = 1, reached = 1;
  for (std::size_t n = 1; n <= Network::kBlock; ++n) {
    reached *= chance;
    tokens += reached;
    const double guess = Network::kGuess / Network::kStep * (4 + static_cast<double>(n)) / (4 + Network::kBlock);
    best = std::max(best, tokens / (costs.of(1 + n) + guess));
  }
  return best;
}

// As fast as the best fixed length, but for what it takes to find that out, and hardly slower than without; from the
// first answer on, whether it knows anything of its guesses or not.
TEST(Drafter, AsksANetworkWhereThatPays) {
  EXPECT_GT(best_of_fixed_lengths(0.925), 1.6);  // 7 tokens a pass of 10
  EXPECT_GT(best_of_fixed_lengths(0.8), 1.15);
  for (const double chance : {0.925, 0.8, 0.65, 0.5, 0.1, 0.0}) {
    for (const Knows knows : {Knows::kNothing, Knows::kTheMean, Knows::kEachToken}) {
      for (const std::size_t tokens : {300, 4000}) {
        SCOPED_TRACE(testing::Message() << chance << ", knows " << static_cast<int>(knows) << ", " << tokens);
        constexpr std::uint32_t kTexts = 30;
        const double without = static_cast<double>(tokens) * Network::kStep;
        double seconds = 0, slowest = 0;
        for (std::uint32_t seed = 0; seed < kTexts; ++seed) {
          const double its = play_network(chance, knows, tokens, seed);
          seconds += its / kTexts;
          slowest = std::max(slowest, its);
        }
        const bool begins = tokens == 300;
        const double share = knows != Knows::kNothing ? (begins ? 0.93 : 0.95) : (begins ? 0.8 : 0.94);
        EXPECT_GT(without / seconds, share * best_of_fixed_lengths(chance));
        EXPECT_GT(without / seconds, 0.98);
        EXPECT_GT(without / slowest, 0.95);
      }
    }
  }
}

// Now and then, in case it has become better.
TEST(Drafter, AsksANetworkSeldomWhereThatIsVain) {
  std::size_t asked = 0;
  (void)play_network(0, Knows::kTheMean, 4000, 1, &asked);
  EXPECT_LT(asked, 4000 / 45);
  EXPECT_GT(asked, 4000 / 100);
}

// Guesses that are replaced come true as often as they are told to, are as sure as that, and take what they took.
TEST(Imposed, ComeTrueAsOftenAsTheyAreTold) {
  for (const double chance : {0.0, 0.3, 0.9, 1.0}) {
    std::vector<TokenId> text(2000);
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<TokenId>(i % 7);
    auto source = std::make_unique<Network>();
    Network& network = *source;
    network.text.assign(3000, 50);
    network.trusts.assign(3000, 0);
    engine::Imposed imposed(std::move(source), text, chance);
    imposed.follow({});
    double right = 0;
    for (std::size_t at = 0; at < 2000; ++at) {
      const Guess guess = imposed.guess(3);
      ASSERT_EQ(guess.tokens.size(), 3u);
      right += guess.tokens[0] == text[at] ? 1 : 0;
      EXPECT_EQ(guess.trust_in(0), Network::trust_of(chance));
      imposed.push(text[at]);
    }
    EXPECT_NEAR(right / 2000, chance, 0.04);
    EXPECT_EQ(imposed.guess(3).tokens[0], 50);  // the text is over: its own
    EXPECT_EQ(network.asked, 2001u);
    EXPECT_EQ(imposed.seconds(3), network.seconds(3));
    EXPECT_EQ(imposed.longest(), Network::kBlock);
  }
}

// Of two sources the one that promises more, and the slow one isn't asked where the other one knows.
TEST(Drafter, TakesTheLongerPromise) {
  auto copies = std::make_unique<Told>(), network = std::make_unique<Told>();
  Told &first = *copies, &second = *network;
  first.text.assign(5000, 1);
  std::fill(first.text.begin(), first.text.begin() + 400, 99);  // wrong at first
  second.text.assign(5000, 1);
  second.block = 9;
  second.each = 0.001;
  std::vector<std::unique_ptr<DraftSource>> sources;
  sources.push_back(std::move(copies));
  sources.push_back(std::move(network));
  Drafter drafter(std::move(sources));
  PassCosts costs;
  costs.learn(1, 0.03);
  std::size_t asked_before = 0;
  for (std::size_t at = 0; at < 4000; ++at) {
    drafter.push(1);
    const auto ahead = drafter.next(40, 1, costs);
    if (at == 3000) asked_before = second.asked;
    if (at > 100 && at < 390) {
      EXPECT_EQ(ahead.size(), 9u) << at;
      EXPECT_TRUE(std::ranges::all_of(ahead, [](TokenId id) { return id == 1; })) << at;
    } else if (at > 3000) {
      EXPECT_GT(ahead.size(), 9u) << at;
    }
  }
  EXPECT_LT(second.asked - asked_before, 1000u / 30);
}

TEST(Drafter, DraftsWhereItPays) {
  const Outcome all = play(1, 2000);
  EXPECT_EQ(all.accepted, all.drafted);
  EXPECT_LT(all.passes, 2000 / 12);
  const Outcome most = play(0.9, 2000);
  EXPECT_GT(2000 * 0.03 / most.seconds, 1.8);  // without drafts: 0.03 s a token
  const Outcome none = play(0.02, 5000);
  EXPECT_LT(none.drafted, 50);
  EXPECT_GT(5000 * 0.03 / none.seconds, 0.98);
}

TEST(Drafter, ReadsNoMoreAheadThanItMay) {
  auto source = std::make_unique<Told>();
  source->text.assign(100, 1);
  Drafter drafter(std::move(source));
  PassCosts costs;
  for (int i = 0; i < 60; ++i) drafter.push(1);
  for (std::size_t most = 0; most < 20; ++most) EXPECT_LE(drafter.next(most, 1, costs).size(), most);
}

}  // namespace
}  // namespace lfm::test
