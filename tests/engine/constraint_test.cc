// Constraints on what a random model says: whatever the sampler's settings, the answer is one that is allowed.
#include "lfm/constraint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "tests/engine/tiny_engine.h"
#include "tests/support/same_bits.h"

namespace lfm {
namespace {

using test::TinyEngine;

struct Said {
  Finish finish;
  std::string text;
};

Said say(const TinyEngine& engine, const GenerateOptions& options) {
  Session session = engine.session();
  EXPECT_TRUE(session.append(test::random_tokens(5, 3)).ok());
  Said said;
  auto finish = session.generate(options, [&](const Piece& piece) {
    said.text += piece.text;
    return true;
  });
  EXPECT_TRUE(finish.ok()) << finish.error().describe();
  if (finish.ok()) said.finish = *finish;
  return said;
}

TEST(Constraint, AnswersAreWhatTheSchemaAllows) {
  const TinyEngine engine;
  const auto constraint = Constraint::from_json_schema(
      R"({"type": "object", "properties": {"name": {"type": "string", "maxLength": 6}, "age": {"type": "integer", "minimum": 0, "maximum": 130},
          "tags": {"type": "array", "items": {"enum": ["a", "b", "c"]}, "maxItems": 3}}, "required": ["name", "age"], "additionalProperties": false})");
  ASSERT_TRUE(constraint.ok()) << constraint.error().describe();
  std::size_t ended = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    GenerateOptions options;
    options.max_tokens = 200;
    options.constraint = *constraint;
    options.sampling = SamplingOptions{.temperature = static_cast<float>(seed % 4) * 0.8f, .seed = seed};
    if (seed % 3 == 0) options.sampling.top_k = 5;
    const Said said = say(engine, options);
    if (said.finish.reason != FinishReason::kEnd) continue;
    ++ended;
    const auto verdict = constraint->check(said.text);
    ASSERT_TRUE(verdict.ok());
    EXPECT_TRUE(verdict->allowed) << said.text;
  }
  EXPECT_GT(ended, 30u);
}

TEST(Constraint, PatternsAndErrors) {
  const TinyEngine engine;
  GenerateOptions options;
  const auto pattern = Constraint::from_regex("(yes|no), [0-9]{3}");
  ASSERT_TRUE(pattern.ok());
  options.constraint = *pattern;
  const Said said = say(engine, options);
  EXPECT_EQ(said.finish.reason, FinishReason::kEnd);
  EXPECT_TRUE(pattern->check(said.text)->allowed) << said.text;

  options.ignore_end = true;
  Session session = engine.session();
  ASSERT_TRUE(session.append(test::random_tokens(5, 3)).ok());
  const auto refused = session.generate(options, nullptr);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().field, "ignore_end");

  EXPECT_EQ(Constraint::from_json_schema(R"({"$dynamicRef": "#a"})").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(Constraint::from_regex("(").error().code, ErrorCode::kArgument);
}

constexpr TokenId kThink = 3;
constexpr TokenId kEnd = 7;
constexpr TokenId kCallStart = 10;

const char* const kTools = R"([
  {"name": "get_weather", "parameters": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 5},
      "days": {"type": "integer", "minimum": 1, "maximum": 14}}, "required": ["city"]}},
  {"name": "stop"}])";

struct Asked {
  Answer answer;
  std::string calls;
};

// An answer that is held to something, by a model that likes some tokens.
Asked ask(const TinyEngine& engine, const Constraint& constraint, std::vector<SamplingOptions::Bias> likes,
          std::uint64_t seed = 1) {
  Asked asked;
  const Chat chat = Chat::create(engine.engine(), {.tools = kTools}).value();
  Session session = engine.session();
  GenerateOptions options{.max_tokens = 300};
  options.sampling = SamplingOptions{.temperature = 1.5f, .seed = seed, .logit_bias = std::move(likes)};
  options.constraint = constraint;
  const std::vector<Message> messages = {{Role::kUser, "Weather?"}};
  auto answer = chat.answer(session, messages, options, [&](const Piece& piece) {
    EXPECT_NE(piece.kind, PieceKind::kMalformedCall) << piece.text;
    if (piece.kind == PieceKind::kToolCall) asked.calls += std::string(piece.text) + ";";
    return true;
  });
  EXPECT_TRUE(answer.ok()) << answer.error().describe();
  if (answer.ok()) asked.answer = *std::move(answer);
  return asked;
}

Asked ask(const TinyEngine& engine, const ToolConstraint& tools, std::vector<SamplingOptions::Bias> likes,
          std::uint64_t seed = 1) {
  return ask(engine, Constraint::from_tools(kTools, tools).value(), std::move(likes), seed);
}

TEST(Constraint, RequiredCallsAreAllThereIs) {
  const TinyEngine engine;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const bool single = seed % 2 == 0;
    const Asked asked = ask(engine, {.single = single}, {{kEnd, 50.0f}}, seed);
    if (asked.answer.finish.reason != FinishReason::kEnd) continue;
    EXPECT_GE(asked.answer.finish.tool_calls, 1u);
    EXPECT_TRUE(!single || asked.answer.finish.tool_calls == 1) << asked.calls;
    EXPECT_EQ(asked.answer.message.content, "");
  }
  const Asked named = ask(engine, {.only = "stop", .single = true}, {});
  EXPECT_EQ(named.calls, "stop();");
  EXPECT_EQ(named.answer.finish.reason, FinishReason::kEnd);
}

TEST(Constraint, TextAroundCalls) {
  const TinyEngine engine;
  const std::vector<SamplingOptions::Bias> ends = {{kEnd, 400.0f}, {kCallStart, 300.0f}};
  const Asked required = ask(engine, {.only = "stop", .single = true, .text = true}, ends);
  EXPECT_EQ(required.calls, "stop();") << "it can't end before";
  EXPECT_EQ(required.answer.finish.reason, FinishReason::kEnd);
  const Asked as_it_likes = ask(engine, {.choice = ToolChoice::kAuto}, ends);
  EXPECT_EQ(as_it_likes.answer.finish.tokens, 0u);
  const std::vector<SamplingOptions::Bias> calls = {{kCallStart, 300.0f}, {14 + 'A', 200.0f}};
  const Asked once = ask(engine, {.choice = ToolChoice::kAuto, .only = "stop", .single = true}, calls);
  EXPECT_EQ(once.calls, "stop();");
  EXPECT_NE(once.answer.message.content.find("AAAA"), std::string::npos) << "text goes on behind them";
  const Asked none = ask(engine, {.choice = ToolChoice::kNone}, calls);
  EXPECT_EQ(none.calls, "");
  EXPECT_EQ(none.answer.message.content.substr(0, 8), "AAAAAAAA");
}

TEST(Constraint, CallsOrAnAnswerOfASchema) {
  const TinyEngine engine;
  const Constraint calls = Constraint::from_tools(kTools, {.choice = ToolChoice::kAuto}).value();
  const Constraint schema =
      Constraint::from_json_schema(R"({"type": "integer", "minimum": 3, "maximum": 600})").value();
  const Constraint either = Constraint::either(calls, schema).value();
  ASSERT_TRUE(either.prepare(engine.engine()).ok());
  std::size_t called = 0, answered = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    // Some as likely to call as not, some that want to end or to talk.
    const Asked asked = ask(engine, either, {{kEnd, 50.0f}, {kCallStart, seed % 2 == 0 ? 300.0f : 0.0f}}, seed);
    if (asked.answer.finish.reason != FinishReason::kEnd) continue;
    const Message& message = asked.answer.message;
    called += message.tool_calls.empty() ? 0 : 1;
    answered += message.content.empty() ? 0 : 1;
    EXPECT_NE(message.tool_calls.empty(), message.content.empty()) << asked.calls << message.content;
    EXPECT_TRUE(message.content.empty() || schema.check(message.content)->allowed) << message.content;
  }
  EXPECT_GE(called, 5u);
  EXPECT_GE(answered, 5u);

  EXPECT_TRUE(either.check("17")->allowed);
  EXPECT_TRUE(either.check("[stop()]")->allowed);
  EXPECT_FALSE(either.check("[stop(1)]")->allowed);
  EXPECT_EQ(either.check("[stop(1)]")->offset, 6u);
  EXPECT_EQ(Constraint::either(schema, schema).error().field, "calls");
  EXPECT_EQ(Constraint::either(Constraint::from_tools(kTools).value(), schema).error().field, "calls");
  EXPECT_EQ(Constraint::either(calls, calls).error().field, "answer");
}

// What has no choice is not put in while the model may still call.
TEST(Constraint, AForcedAnswerIsAChoiceBesideCalls) {
  const TinyEngine engine;
  const Constraint calls = Constraint::from_tools(kTools, {.choice = ToolChoice::kAuto, .only = "stop"}).value();
  const Constraint word = Constraint::from_regex("certainly").value();
  const Constraint either = Constraint::either(calls, word).value();
  EXPECT_EQ(ask(engine, either, {{kCallStart, 300.0f}}).calls, "stop();");
  EXPECT_EQ(ask(engine, either, {{kCallStart, -300.0f}}).answer.message.content, "certainly");
}

const char* const kSchema = R"({"type": "object", "properties": {"name": {"type": "string", "maxLength": 6},
    "kind": {"const": "something that can only be said in this way"}, "age": {"type": "integer"}},
    "required": ["name", "kind", "age"], "additionalProperties": false})";

TEST(Constraint, ThinkingIsFreeAndEndsByItsBudget) {
  test::TinyModel model;
  model.thinks = true;
  model.chat_template = "<|im_start|> </think>";
  const TinyEngine engine(model);
  const Chat chat = Chat::create(engine.engine()).value();
  const std::vector<Message> messages = {{Role::kUser, "Who?"}};
  for (const std::size_t budget : {0u, 6u}) {
    GenerateOptions options{.max_tokens = 300};
    options.thinking_budget = budget;
    options.constraint = Constraint::from_json_schema(kSchema).value();
    options.sampling = SamplingOptions{
        .temperature = 1.0f, .seed = 4, .logit_bias = {{kThink, 300.0f}, {kEnd, 90.0f}, {14 + 'A', 350.0f}}};
    Session session = engine.session();
    const auto answer = chat.answer(session, messages, options);
    ASSERT_TRUE(answer.ok()) << answer.error().describe();
    EXPECT_TRUE(answer->finish.thinking_cut);
    EXPECT_EQ(answer->finish.reasoning_tokens, budget + 2);
    EXPECT_EQ(answer->message.reasoning, std::string(budget, 'A'));
    const auto verdict = options.constraint->check(answer->message.content);
    EXPECT_TRUE(verdict.ok() && verdict->allowed) << answer->message.content;
  }
}

// The model of a file that knows nothing of thinking isn't asked whether it wants to.
TEST(Constraint, NoThinkingWhereTheModelHasNone) {
  test::TinyModel model;
  model.thinks = true;
  const TinyEngine engine(model);
  const Chat chat = Chat::create(engine.engine()).value();
  GenerateOptions options{.max_tokens = 300};
  options.constraint = Constraint::from_regex("yes|no").value();
  options.sampling = SamplingOptions{.temperature = 0, .logit_bias = {{kThink, 300.0f}}};
  Session session = engine.session();
  const std::vector<Message> messages = {{Role::kUser, "Well?"}};
  const auto answer = chat.answer(session, messages, options);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->finish.reasoning_tokens, 0u);
  EXPECT_TRUE(answer->message.content == "yes" || answer->message.content == "no");
}

// A form that was chosen is asked itself.
TEST(Constraint, AChosenFormSaysWhetherItThinks) {
  test::TinyModel model;
  model.thinks = true;
  const TinyEngine engine(model);
  for (const ChatForm form : {ChatForm::kChatMl, ChatForm::kLfm25}) {
    const Chat chat = Chat::create(engine.engine(), {.form = form, .date = "2026-11-29"}).value();
    GenerateOptions options{.max_tokens = 300};
    options.constraint = Constraint::from_regex("yes|no").value();
    options.thinking_budget = 3;
    options.sampling = SamplingOptions{.temperature = 0, .logit_bias = {{kThink, 300.0f}, {kEnd, 90.0f}}};
    Session session = engine.session();
    const std::vector<Message> messages = {{Role::kUser, "Well?"}};
    const auto answer = chat.answer(session, messages, options);
    ASSERT_TRUE(answer.ok()) << answer.error().describe();
    EXPECT_EQ(answer->finish.reasoning_tokens, form == ChatForm::kLfm25 ? 5u : 0u);
    EXPECT_TRUE(answer->message.content == "yes" || answer->message.content == "no");
  }
}

class Forced : public testing::Test {
 protected:
  Session begin(const Engine& engine) const {
    const Chat chat = Chat::create(engine).value();
    Session session = TinyEngine::new_session(engine);
    const std::vector<Message> messages = {{Role::kUser, "Who?"}};
    EXPECT_TRUE(session.sync(chat.render(messages).value()).ok());
    return session;
  }

  GenerateOptions options(std::uint64_t seed) const {
    GenerateOptions options{.max_tokens = 200};
    options.structured = true;
    options.constraint = constraint_;
    options.sampling = SamplingOptions{.temperature = 1.2f, .repetition_penalty = 1.1f, .seed = seed};
    return options;
  }

  std::vector<TokenId> said(const Engine& engine, const GenerateOptions& options) const {
    Session session = begin(engine);
    EXPECT_TRUE(session.generate(options, nullptr).ok());
    return test::tokens_of(session);
  }

  TinyEngine tiny_;
  Constraint constraint_ = Constraint::from_json_schema(kSchema).value();
};

TEST_F(Forced, TextIsReadInOnePassAndSaysTheSame) {
  const Engine two = tiny_.open({.threads = 2});
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const std::vector<TokenId> together = said(tiny_.engine(), options(seed));
    GenerateOptions one_by_one = options(seed);
    one_by_one.logprobs = 0;
    EXPECT_EQ(said(tiny_.engine(), one_by_one), together);
    EXPECT_EQ(said(two, options(seed)), together);
  }
}

TEST_F(Forced, NeitherDraftsNorThreadsChangeABit) {
  constraint_ = Constraint::from_json_schema(R"({"type": "array", "minItems": 6, "maxItems": 6, "items": {"type": "object",
      "properties": {"kind": {"enum": ["a red one", "a green one"]}, "note": {"type": "string", "pattern": "^(la ){2,4}$"}},
      "required": ["kind", "note"], "additionalProperties": false}})").value();
  std::vector<Engine> engines;
  for (const unsigned threads : {1u, 2u, 3u}) engines.push_back(tiny_.open({.threads = threads}));
  std::size_t accepted = 0;
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    std::vector<TokenId> tokens;
    std::vector<float> logits;
    for (const Engine& engine : engines) {
      for (const Draft draft : {Draft::kOff, Draft::kLookup}) {
        Session session = begin(engine);
        GenerateOptions drafting = options(seed);
        drafting.max_tokens = 400;
        drafting.draft = draft;
        const auto finish = session.generate(drafting, nullptr);
        ASSERT_TRUE(finish.ok()) << finish.error().describe();
        EXPECT_EQ(finish->reason, FinishReason::kEnd);
        accepted += finish->accepted;
        if (tokens.empty()) {
          tokens = test::tokens_of(session);
          logits.assign(session.logits().begin(), session.logits().end());
        }
        EXPECT_EQ(test::tokens_of(session), tokens);
        test::expect_same_bits(logits, session.logits());
      }
    }
  }
  EXPECT_GT(accepted, 0u);
}

TEST_F(Forced, ACutGenerationGoesOnAsTheWholeOne) {
  const std::vector<TokenId> whole = said(tiny_.engine(), options(5));
  const Engine& engine = tiny_.engine();
  for (std::size_t cut = 1; cut < 40; cut += 3) {
    Session session = begin(engine);
    GenerateOptions parts = options(5);
    parts.max_tokens = cut;
    ASSERT_TRUE(session.generate(parts, nullptr).ok());
    parts.max_tokens = 200 - cut;
    ASSERT_TRUE(session.generate(parts, nullptr).ok());
    EXPECT_EQ(test::tokens_of(session), whole) << cut;
  }
}

TEST_F(Forced, SideBySideAsAlone) {
  const std::vector<TokenId> alone[] = {said(tiny_.engine(), options(1)), said(tiny_.engine(), options(2)),
                                        said(tiny_.engine(), options(3))};
  std::vector<TokenId> beside[3];
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] { beside[i] = said(tiny_.engine(), options(i + 1)); });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(beside[i], alone[i]);
}

TEST_F(Forced, AStopStringWithinIt) {
  Session session = begin(tiny_.engine());
  GenerateOptions stopping = options(5);
  stopping.stop = {"only be said"};
  std::string text;
  const auto finish = session.generate(stopping, [&](const Piece& piece) {
    text += piece.text;
    return true;
  });
  ASSERT_TRUE(finish.ok());
  EXPECT_EQ(finish->reason, FinishReason::kStop);
  EXPECT_TRUE(text.ends_with("\"something that can ")) << text;
  EXPECT_EQ(finish->text_bytes, text.size());
}

TEST(ConstraintCache, KeepsWhatWasAskedForLast) {
  ConstraintCache cache(2);
  const TinyEngine engine;
  ASSERT_TRUE(cache.from_regex("a").ok());
  ASSERT_TRUE(cache.from_json_schema(R"({"const": "a"})").ok());
  const auto tools = cache.from_tools(kTools, {.only = "stop"});
  ASSERT_TRUE(tools.ok());
  EXPECT_TRUE(cache.from_tools(kTools, {.only = "stop"})->check("[stop()]")->allowed);
  EXPECT_FALSE(cache.from_tools(kTools, {.only = "get_weather"})->check("[stop()]")->allowed);
  EXPECT_TRUE(cache.from_regex("a")->check("a")->allowed);
  EXPECT_FALSE(cache.from_json_schema("a").ok());
  EXPECT_TRUE(tools->prepare(engine.engine()).ok());
}

}  // namespace
}  // namespace lfm
