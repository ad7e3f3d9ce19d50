// What an application says about the choice of tokens, and what it gets to know of it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "engine/tiny_engine.h"
#include "support/expect.h"

namespace lfm::test {
namespace {

constexpr TokenId kEnd = 7;

class Choice : public testing::Test {
 protected:
  Choice() { expect_ok(session_.append(prompt_)); }

  const TinyEngine tiny_;
  const std::vector<TokenId> prompt_ = random_tokens(5, 11);
  Session session_ = tiny_.session();
};

TEST_F(Choice, WithoutASeedOneIsChosenAndTold) {
  GenerateOptions options{.max_tokens = 30, .sampling = SamplingOptions{}, .ignore_end = true};
  const Generated first = generate(session_, options);
  const auto said = tokens_of(session_);
  expect_ok(session_.sync(prompt_));
  const Generated second = generate(session_, options);
  EXPECT_NE(first.finish.seed, second.finish.seed);
  EXPECT_NE(tokens_of(session_), said);
  expect_ok(session_.sync(prompt_));
  options.sampling.seed = first.finish.seed;
  EXPECT_EQ(generate(session_, options).finish.seed, first.finish.seed);
  EXPECT_EQ(tokens_of(session_), said);
}

TEST_F(Choice, WithoutOptionsAsRecommended) {
  GenerateOptions options{.max_tokens = 30, .ignore_end = true};
  options.sampling.seed = 5;
  generate(session_, options);
  const auto said = tokens_of(session_);
  expect_ok(session_.sync(prompt_));
  options.sampling = tiny_.engine().recommended_sampling();
  options.sampling.seed = 5;
  generate(session_, options);
  EXPECT_EQ(tokens_of(session_), said);
  expect_ok(session_.sync(prompt_));
  options.sampling = SamplingOptions{.seed = 5};
  generate(session_, options);
  EXPECT_NE(tokens_of(session_), said);
}

TEST_F(Choice, AMaskSeesAllAndDecides) {
  constexpr TokenId kOnly[] = {40, 41, 42};
  std::size_t asked = 0;
  GenerateOptions options{.max_tokens = 50};
  options.sampling = SamplingOptions{.temperature = 5};
  options.mask = [&](const MaskQuery& query) -> Status {
    EXPECT_EQ(query.tokens.size(), prompt_.size() + asked);
    EXPECT_EQ(query.answer.size(), asked);
    EXPECT_EQ(query.answer.data() + query.answer.size(), query.tokens.data() + query.tokens.size());
    EXPECT_TRUE(std::equal(query.logits.begin(), query.logits.end(), session_.logits().begin()));
    EXPECT_FALSE(query.thinking);
    for (TokenId id = 0; id < 300; ++id) EXPECT_TRUE(query.allowed.has(id));
    query.allowed.clear();
    if (++asked == 20) {
      query.allowed.add(kEnd);
    } else {
      for (const TokenId id : kOnly) query.allowed.add(id);
    }
    return {};
  };
  const Generated out = generate(session_, options);
  EXPECT_EQ(out.finish.reason, FinishReason::kEnd);
  EXPECT_EQ(out.finish.tokens, 19u);
  const auto said = session_.tokens().subspan(prompt_.size());
  for (const TokenId id : said) EXPECT_TRUE(std::count(std::begin(kOnly), std::end(kOnly), id)) << id;
  EXPECT_GT(std::count(said.begin(), said.end(), 41), 0);
}

// Inside thinking nothing is part of the answer yet, and the budget still ends it.
TEST(Masks, KnowThinkingFromTheAnswer) {
  TinyModel model;
  model.thinks = true;
  const TinyEngine tiny(model);
  constexpr TokenId kThink = 3, kEndThink = 4, kLetter = 14 + 'A';
  const Chat chat = Chat::create(tiny.engine()).value();
  Session session = tiny.session();
  GenerateOptions options{.max_tokens = 7};
  options.sampling = SamplingOptions{.temperature = 0};
  options.sampling.logit_bias = {{kThink, 300.0f}, {kEnd, 200.0f}};
  options.thinking_budget = 5;
  std::vector<std::size_t> answers;
  options.mask = [&](const MaskQuery& query) -> Status {
    if (query.thinking) {
      EXPECT_TRUE(query.answer.empty());
      return {};
    }
    answers.push_back(query.answer.size());
    EXPECT_EQ(std::count(query.answer.begin(), query.answer.end(), kEndThink), 0);
    if (query.tokens.back() != kEndThink && query.answer.empty()) return {};  // it may think first
    query.allowed.clear();
    query.allowed.add(query.answer.size() < 4 ? kLetter : kEnd);
    return {};
  };
  const auto answer = chat.answer(session, std::vector<Message>{{Role::kUser, "Why?"}}, options);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->finish.reason, FinishReason::kLength);
  EXPECT_TRUE(answer->finish.thinking_cut);
  // Cut in the middle, and taken up again.
  options.max_tokens = 100;
  options.structured = true;
  const Generated rest = generate(session, options);
  EXPECT_EQ(rest.finish.reason, FinishReason::kEnd);
  EXPECT_EQ(rest.text, "AAAA");
  EXPECT_EQ(answers, (std::vector<std::size_t>{0, 0, 1, 2, 3, 4}));
}

TEST_F(Choice, AMasksErrorEndsTheGeneration) {
  GenerateOptions options = greedy(10);
  std::size_t asked = 0;
  std::string text;
  const auto listen = [&](const Piece& piece) { return text += piece.text, true; };
  options.mask = [&](const MaskQuery& query) -> Status {
    if (++asked == 4) return Error{ErrorCode::kUnsupported, "no grammar says so"};
    query.allowed.clear();
    query.allowed.add(14 + 'A');
    return {};
  };
  expect_error(session_.generate(options, listen), ErrorCode::kUnsupported, "no grammar says so");
  EXPECT_EQ(text, "AAA");
  EXPECT_EQ(session_.tokens().size(), prompt_.size() + 3);
  EXPECT_EQ(session_.stats().generated_tokens, 3u);

  options.mask = [](const MaskQuery& query) -> Status { return query.allowed.clear(), Status(); };
  expect_error(session_.generate(options, listen), ErrorCode::kArgument, "mask");
  EXPECT_EQ(session_.tokens().size(), prompt_.size() + 3);
  options.mask = [](const MaskQuery&) -> Status { throw std::runtime_error("enough"); };
  EXPECT_THROW((void)session_.generate(options, listen).ok(), std::runtime_error);
  options.mask = nullptr;
  EXPECT_EQ(generate(session_, options).finish.tokens, 10u);
}

// A penalty that takes the only allowed token away, the second time it would come.
TEST_F(Choice, NothingLeftToSample) {
  GenerateOptions options{.max_tokens = 10};
  options.sampling = SamplingOptions{.repetition_penalty = 3.4e38f};
  for (TokenId id = 0; id < 300; ++id) {
    const bool only = id == 14 + 'A';
    options.sampling.logit_bias.push_back({id, only ? -1e4f : -std::numeric_limits<float>::infinity()});
  }
  options.stop = {"AB"};  // which holds the text back
  std::string text;
  const auto finish = session_.generate(options, [&](const Piece& piece) { return text += piece.text, true; });
  expect_error(finish, ErrorCode::kNumeric, "every token that may come");
  EXPECT_EQ(text, "A");
  EXPECT_EQ(session_.tokens().size(), prompt_.size() + 1);
  EXPECT_EQ(session_.stats().generated_tokens, 1u);
}

TEST_F(Choice, PiecesHaveTheirTokens) {
  const std::string whole = generate(session_, greedy(40)).text;
  const auto said = tokens_of(session_);
  expect_ok(session_.sync(prompt_));
  GenerateOptions options = greedy(40);
  options.stop = {whole.substr(whole.size() / 2, 1) + "never said"};  // something is held back
  std::vector<TokenId> seen;
  std::string text;
  const auto finish = session_.generate(options, [&](const Piece& piece) {
    seen.insert(seen.end(), piece.tokens.begin(), piece.tokens.end());
    text += piece.text;
    EXPECT_TRUE(piece.logprobs.empty() && piece.top_logprobs.empty());
    return true;
  });
  ASSERT_TRUE(finish.ok());
  EXPECT_EQ(text, whole);
  EXPECT_EQ(seen, std::vector<TokenId>(said.begin() + 5, said.end()));
}

// The model's own, whatever sampling makes of them.
TEST_F(Choice, Logprobs) {
  GenerateOptions options{.max_tokens = 12, .ignore_end = true};
  options.sampling = SamplingOptions{.seed = 4};
  options.sampling.temperature = 0.7f;
  options.sampling.logit_bias = {{50, 3.0f}};
  options.logprobs = 5;
  std::size_t position = prompt_.size();
  const auto expect_row = [&](TokenId token, float logprob, std::span<const TokenLogprob> top) {
    Session other = tiny_.session();
    expect_ok(other.append(session_.tokens().first(position)));
    double sum = 0;
    for (const float logit : other.logits()) sum += std::exp(static_cast<double>(logit));
    const auto expected = [&](TokenId id) {
      return static_cast<double>(other.logits()[static_cast<std::size_t>(id)]) - std::log(sum);
    };
    EXPECT_NEAR(logprob, expected(token), 1e-5);
    ASSERT_EQ(top.size(), 5u);
    std::vector<float> sorted(other.logits().begin(), other.logits().end());
    std::sort(sorted.rbegin(), sorted.rend());
    for (std::size_t i = 0; i < top.size(); ++i) {
      EXPECT_EQ(other.logits()[static_cast<std::size_t>(top[i].id)], sorted[i]);
      EXPECT_NEAR(top[i].logprob, expected(top[i].id), 1e-5);
    }
  };
  std::vector<TokenId> tokens;
  std::vector<float> logprobs;
  std::vector<TokenLogprob> top;
  ASSERT_TRUE(session_
                  .generate(options,
                            [&](const Piece& piece) {
                              EXPECT_EQ(piece.logprobs.size(), piece.tokens.size());
                              tokens.insert(tokens.end(), piece.tokens.begin(), piece.tokens.end());
                              logprobs.insert(logprobs.end(), piece.logprobs.begin(), piece.logprobs.end());
                              top.insert(top.end(), piece.top_logprobs.begin(), piece.top_logprobs.end());
                              return true;
                            })
                  .ok());
  ASSERT_EQ(tokens.size(), 12u);
  ASSERT_EQ(top.size(), 60u);
  for (std::size_t i = 0; i < tokens.size(); ++i, ++position) {
    expect_row(tokens[i], logprobs[i], std::span(top).subspan(5 * i, 5));
  }
  options.logprobs = 301;
  expect_error(session_.generate(options, nullptr), ErrorCode::kArgument, "logprobs");
}

}  // namespace
}  // namespace lfm::test
