// Chats on a tiny model: what a session holds, and thinking that has an end.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <tuple>

#include "tests/engine/tiny_engine.h"

namespace lfm {
namespace {

constexpr TokenId kThink = 3;
constexpr TokenId kEndThink = 4;
constexpr TokenId kEnd = 7;
constexpr TokenId kCallStart = 10;
constexpr TokenId kLetter = 14 + 'A';

test::TinyModel thinking_model() {
  test::TinyModel model;
  model.thinks = true;
  return model;
}

// Wants to think most of all, then to end, then to say "A".
GenerateOptions thoughtful(std::size_t max_tokens) {
  GenerateOptions options{.max_tokens = max_tokens};
  options.sampling = SamplingOptions{.temperature = 0};
  options.sampling.logit_bias = {{kThink, 300.0f}, {kEnd, 200.0f}, {kLetter, 100.0f}};
  return options;
}

std::size_t count(std::span<const TokenId> tokens, TokenId id) {
  return static_cast<std::size_t>(std::count(tokens.begin(), tokens.end(), id));
}

TEST(Answer, ThinkingEndsAndAnAnswerComes) {
  const test::TinyEngine tiny(thinking_model());
  const Chat chat = Chat::create(tiny.engine()).value();
  const std::vector<Message> messages = {{Role::kUser, "Why?"}};
  for (const std::size_t budget : {0u, 1u, 5u, 40u}) {
    Session session = tiny.session();
    GenerateOptions options = thoughtful(100);
    options.thinking_budget = budget;
    const auto answer = chat.answer(session, messages, options);
    ASSERT_TRUE(answer.ok()) << answer.error().describe();
    EXPECT_EQ(answer->message.content, "A");
    EXPECT_EQ(answer->finish.reason, FinishReason::kEnd);
    EXPECT_TRUE(answer->finish.thinking_cut);
    EXPECT_FALSE(answer->finish.thinking_open);
    EXPECT_FALSE(answer->finish.empty());
    EXPECT_EQ(answer->finish.tokens, budget + 3);            // <think>, the budget, </think>, "A"
    EXPECT_EQ(answer->finish.reasoning_tokens, budget + 2);  // without the last
    EXPECT_EQ(count(answer->message.tokens, kEndThink), 1u);
    EXPECT_NE(answer->finish.describe().find("the thinking was cut short"), std::string::npos);
  }
}

TEST(Answer, AnEmptyOneSaysWhy) {
  const test::TinyEngine tiny(thinking_model());
  const Chat chat = Chat::create(tiny.engine()).value();
  const std::vector<Message> messages = {{Role::kUser, "Why?"}};
  Session session = tiny.session();
  auto answer = chat.answer(session, messages, thoughtful(10));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->finish.reason, FinishReason::kLength);
  EXPECT_TRUE(answer->finish.empty() && answer->finish.thinking_open);
  EXPECT_EQ(answer->finish.describe(),
            "no answer in 10 tokens, 10 of them thinking: max_tokens is reached before the thinking ended");
  // It goes on from there, with what is left of a budget.
  GenerateOptions options = thoughtful(10);
  options.structured = true;
  options.thinking_budget = 12;
  const auto more = session.generate(options, nullptr);
  ASSERT_TRUE(more.ok());
  EXPECT_TRUE(more->thinking_cut);
  EXPECT_EQ(more->reasoning_tokens, 4u);
  EXPECT_EQ(more->text_bytes, 1u);
  // A model that ends at once.
  options = thoughtful(10);
  options.sampling.logit_bias = {{kEnd, 300.0f}};
  answer = chat.answer(session, messages, options);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->finish.describe(), "no answer in 0 tokens: the model said that it is done");
}

TEST(Answer, ABudgetNeedsStructure) {
  const test::TinyEngine tiny(thinking_model());
  Session session = tiny.session();
  ASSERT_TRUE(session.append(test::random_tokens(4, 1)).ok());
  const auto finish = session.generate({.thinking_budget = 1}, nullptr);
  ASSERT_FALSE(finish.ok());
  EXPECT_EQ(finish.error().code, ErrorCode::kArgument);
  EXPECT_EQ(finish.error().field, "thinking_budget");
}

// Where the tags are text, the same.
TEST(Answer, ThinkingThatIsText) {
  const test::TinyEngine tiny;
  const Chat chat = Chat::create(tiny.engine()).value();
  Session session = tiny.session();
  std::vector<TokenId> prompt = chat.render(std::vector<Message>{{Role::kUser, "Why?"}}).value();
  for (const char c : std::string("<think>")) prompt.push_back(14 + c);
  ASSERT_TRUE(session.sync(prompt).ok());
  GenerateOptions options = thoughtful(30);
  options.sampling.logit_bias = {{kEnd, 50.0f}, {kLetter, 100.0f}};
  options.structured = true;
  options.thinking_budget = 5;
  std::string text;
  std::string thought;
  const auto finish = session.generate(options, [&](const Piece& piece) {
    (piece.kind == PieceKind::kReasoning ? thought : text) += piece.text;
    return true;
  });
  ASSERT_TRUE(finish.ok());
  EXPECT_TRUE(finish->thinking_cut);
  EXPECT_EQ(thought, "AAAAA");
  const std::size_t tag = tiny.engine().tokenizer().encode("</think>", {.bos = false})->size();
  EXPECT_EQ(text, std::string(30 - 5 - tag, 'A'));
}

// Cut anywhere, also within the end that is said for the model, and taken up again.
TEST(Answer, ACutGenerationGoesOnAsTheWholeOne) {
  for (const bool thinks : {false, true}) {
    SCOPED_TRACE(thinks);
    const test::TinyEngine tiny(thinks ? thinking_model() : test::TinyModel());
    const Chat chat = Chat::create(tiny.engine()).value();
    std::vector<TokenId> prompt = chat.render(std::vector<Message>{{Role::kUser, "Why?"}}).value();
    if (!thinks) {
      for (const char c : std::string("<think>")) prompt.push_back(14 + c);
    }
    GenerateOptions options = thoughtful(0);
    options.sampling.logit_bias = {{kThink, 300.0f}, {kEnd, 200.0f}, {kLetter, 100.0f}};
    if (!thinks) options.sampling.logit_bias = {{kEnd, 50.0f}, {kLetter, 100.0f}};
    options.sampling.temperature = 1;
    options.sampling.seed = 5;
    options.structured = true;
    options.thinking_budget = 5;
    constexpr std::size_t kAll = 24;
    const auto say = [&](std::size_t first) {
      Session session = tiny.session();
      EXPECT_TRUE(session.sync(prompt).ok());
      std::string text, thought;
      for (const std::size_t tokens : {first, kAll - first}) {
        options.max_tokens = tokens;
        const auto finish = session.generate(options, [&](const Piece& piece) {
          (piece.kind == PieceKind::kReasoning ? thought : text) += piece.text;
          return true;
        });
        EXPECT_TRUE(finish.ok());
        if (finish->reason == FinishReason::kEnd) break;
      }
      EXPECT_EQ(thought.find('<'), std::string::npos) << thought;
      EXPECT_EQ(text.find('<'), std::string::npos) << text;
      return std::tuple(test::tokens_of(session), text, thought);
    };
    const auto whole = say(kAll);
    for (std::size_t first = 0; first < kAll; ++first) EXPECT_EQ(say(first), whole) << "cut at " << first;
  }
}

TEST(Answer, TheSessionIsOfTheChatsEngine) {
  const test::TinyEngine one, other;
  const Chat chat = Chat::create(one.engine()).value();
  Session session = other.session();
  const auto answer = chat.answer(session, std::vector<Message>{{Role::kUser, "Why?"}}, {});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::kArgument);
  EXPECT_EQ(answer.error().field, "session");
  EXPECT_TRUE(session.tokens().empty());
}

// Each turn reads what is new, and nothing again.
TEST(Answer, AConversationIsReadOnce) {
  for (const bool thinks : {false, true}) {
    const test::TinyEngine tiny(thinks ? thinking_model() : test::TinyModel());
    const Chat chat = Chat::create(tiny.engine(), {.form = ChatForm::kLfm2}).value();
    Session session = tiny.session();
    std::vector<Message> messages = {{Role::kSystem, "Be brief."}};
    GenerateOptions options{.max_tokens = 12};
    // What would be left open at the end is written anew.
    constexpr float kNever = -std::numeric_limits<float>::infinity();
    options.sampling = SamplingOptions{.logit_bias = {{kThink, kNever}, {kCallStart, kNever}}};
    for (int turn = 0; turn < 4; ++turn) {
      const std::size_t held = session.tokens().size();
      messages.push_back({Role::kUser, "Turn " + std::to_string(turn)});
      options.sampling.seed = static_cast<std::uint64_t>(turn);
      const auto answer = chat.answer(session, messages, options);
      ASSERT_TRUE(answer.ok()) << answer.error().describe();
      EXPECT_EQ(answer->prompt.reused, held);
      messages.push_back(answer->message);
    }
    // Another answer to the last question needs its last token once more.
    messages.pop_back();
    options.sampling.seed = 77;
    const auto again = chat.answer(session, messages, options);
    ASSERT_TRUE(again.ok());
    EXPECT_EQ(again->prompt.evaluated, 1u);
  }
}

}  // namespace
}  // namespace lfm
