// Texts that a network writes itself, and those that it is given.
#include "quantize/sampling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <span>

#include "base/try.h"
#include "engine/load/load.h"
#include "quantize/calibration_text.h"
#include "support/expect.h"
#include "support/temp_folder.h"
#include "support/tiny_model.h"

namespace lfm::quantize {
namespace {

class Sampling : public testing::Test {
 protected:
  Result<Texts> sample(
      unsigned threads, std::size_t tokens, std::size_t window,
      const std::function<bool(double)>& progress = [](double) { return true; }) {
    EngineOptions options;
    options.threads = threads;
    LFM_ASSIGN(const auto model, engine::load_model(path_, options));
    return sample_texts(*model->runtime, model->weights, model->config, model->tokenizer, tokens, window, progress);
  }
  test::TempFolder folder_;
  const std::string path_ = folder_.write("tiny.gguf", test::TinyModel().build());
};

TEST_F(Sampling, IsTheSameFromAnyNumberOfThreads) {
  double last = 0;
  const auto one = sample(1, 1000, 220, [&](double part) {
    EXPECT_GE(part, last);
    last = part;
    return true;
  });
  const auto three = sample(3, 1000, 220);
  ASSERT_TRUE(one.ok() && three.ok()) << (one.ok() ? "" : one.error().describe());
  EXPECT_EQ(*one, *three);
  std::size_t tokens = 0;
  for (const auto& piece : *one) {
    EXPECT_LE(piece.size(), 220u);
    tokens += piece.size();
  }
  EXPECT_GE(tokens, 1000u);
  EXPECT_LE(tokens, 1100u);  // fewer where the network itself begins a text, which is a piece's first token then
}

// A text goes on for three pieces: as long as one of three times the tokens that isn't cut.
TEST_F(Sampling, MostPiecesBeginInTheMiddleOfAText) {
  const auto model = engine::load_model(path_, {.threads = 1});
  ASSERT_TRUE(model.ok()) << model.error().describe();
  const TokenId begin = (*model)->tokenizer.bos().value();
  const auto said = [&](std::size_t window) {
    const auto pieces = sample(1, 300, window);
    EXPECT_TRUE(pieces.ok());
    std::vector<TokenId> all;
    for (const auto& piece : *pieces) {
      EXPECT_EQ(piece.front(), begin);
      std::ranges::copy_if(piece, std::back_inserter(all), [&](TokenId token) { return token != begin; });
    }
    return std::pair(pieces->size(), all);
  };
  const auto [pieces, cut] = said(100);
  const auto [texts, whole] = said(300);
  EXPECT_GE(pieces, 3u);
  EXPECT_LE(pieces, 5u);  // the network may begin a text or two
  ASSERT_GE(whole.size(), cut.size());
  EXPECT_TRUE(std::ranges::equal(cut, std::span(whole).first(cut.size())));
  EXPECT_GE(cut.size(), 280u);
}

// Texts that begin alike go on differently, and the first pieces are of different ones.
TEST_F(Sampling, FirstPiecesAreOfDifferentTexts) {
  const auto pieces = sample(1, 900, 100);
  const auto whole = sample(1, 2700, 300);
  ASSERT_TRUE(pieces.ok() && whole.ok());
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(std::ranges::equal((*pieces)[i], std::span((*whole)[i]).first((*pieces)[i].size()))) << i;
  }
  EXPECT_NE((*pieces)[0], (*pieces)[2]);
}

// One text of four begins with an opening; a few texts have tools, JSON, code and other languages among them.
TEST_F(Sampling, BeginsWithOpeningsOfAllKinds) {
  const auto model = engine::load_model(path_, {.threads = 1});
  ASSERT_TRUE(model.ok()) << model.error().describe();
  const text::Tokenizer& tokenizer = (*model)->tokenizer;
  std::string openings;
  for (std::size_t i = 0; i < 16; ++i) {
    const auto begin = beginning_of_text(tokenizer, i);
    ASSERT_TRUE(begin.ok()) << begin.error().describe();
    EXPECT_EQ(begin->front(), tokenizer.bos()) << i;
    EXPECT_EQ(begin->size() > 1, i % 4 == 1) << i;
    for (const TokenId token : *begin) openings += tokenizer.piece(token);
  }
  for (const char* kind : {"List of tools", "JSON", "Python", "Kartoffel"}) {
    EXPECT_NE(openings.find(kind), std::string::npos) << kind;
  }
}

TEST_F(Sampling, RefusesAndStops) {
  test::expect_error(sample(1, 100, 4), ErrorCode::kUnsupported, "too short");
  test::expect_error(sample(2, 100000, 700, [](double) { return false; }), ErrorCode::kCancelled, "stopped");
}

// Of a text that is too long, its end as much as its beginning.
TEST_F(Sampling, ALongTextIsTakenFromEverywhere) {
  const auto model = engine::load_model(path_, {.threads = 1});
  ASSERT_TRUE(model.ok()) << model.error().describe();
  const text::Tokenizer& tokenizer = (*model)->tokenizer;
  constexpr std::size_t kLong = 2000, kWindow = 50;
  const std::string text = std::string(kLong / 2, 'a') + std::string(kLong / 2, 'b');
  const TokenId a = (*tokenizer.encode("a")).back(), b = (*tokenizer.encode("b")).back();
  for (const std::size_t tokens : {16u, 50u, 400u, 1999u, 5000u}) {
    SCOPED_TRACE(tokens);
    const auto cut = cut_text(tokenizer, text, tokens, kWindow);
    ASSERT_TRUE(cut.ok()) << cut.error().describe();
    std::size_t taken = 0, as = 0, bs = 0;
    for (const auto& piece : *cut) {
      EXPECT_LE(piece.size(), kWindow);
      taken += piece.size();
      as += static_cast<std::size_t>(std::ranges::count(piece, a));
      bs += static_cast<std::size_t>(std::ranges::count(piece, b));
    }
    EXPECT_LE(taken, std::min(tokens, 2 * kLong));
    EXPECT_GE(taken, std::min(tokens, kLong));
    EXPECT_LE(std::max(as, bs) - std::min(as, bs), tokens < 400 ? tokens : 2 * kWindow);
  }
  test::expect_error(cut_text(tokenizer, "a", 400, kWindow), ErrorCode::kArgument, "at least 16 are needed");
  test::expect_error(cut_text(tokenizer, text, 15, kWindow), ErrorCode::kArgument,
                     "a text of 15 tokens; at least 16 are needed");
}

// A text that is longer than what is due isn't left out for a few words behind it.
TEST_F(Sampling, AShortEndIsntAllThatIsTaken) {
  const auto model = engine::load_model(path_, {.threads = 1});
  ASSERT_TRUE(model.ok()) << model.error().describe();
  const text::Tokenizer& tokenizer = (*model)->tokenizer;
  ASSERT_TRUE(tokenizer.bos());
  const std::string begin(tokenizer.piece(*tokenizer.bos()));
  const std::string text = std::string(700, 'a') + begin + std::string(600, 'b') + begin + "ababab";
  for (const std::size_t tokens : {16u, 64u, 256u, 1000u}) {
    SCOPED_TRACE(tokens);
    const auto cut = cut_text(tokenizer, text, tokens, kTextTokens);
    ASSERT_TRUE(cut.ok()) << cut.error().describe();
    std::size_t taken = 0;
    for (const auto& piece : *cut) {
      EXPECT_LE(piece.size(), kTextTokens);
      EXPECT_EQ(piece.front(), *tokenizer.bos());
      taken += piece.size();
    }
    EXPECT_EQ(taken, tokens);
  }
}

}  // namespace
}  // namespace lfm::quantize
