// Answers that are gone on with, and conversations that have to become shorter.
#include <gtest/gtest.h>

#include <limits>

#include "support/expect.h"
#include "tests/engine/tiny_engine.h"

namespace lfm {
namespace {

constexpr TokenId kThink = 3, kEndThink = 4, kTurn = 6, kEnd = 7, kCallStart = 10, kCallEnd = 11;

GenerateOptions lively(std::size_t tokens, std::uint64_t seed) {
  GenerateOptions options{.max_tokens = tokens};
  options.sampling = SamplingOptions{.temperature = 3, .seed = seed};
  options.sampling.logit_bias = {{kTurn, -std::numeric_limits<float>::infinity()},
                                 {kEnd, 1.0f},
                                 {kThink, 3.0f},
                                 {kEndThink, 4.0f},
                                 {kCallStart, 4.0f},
                                 {kCallEnd, 4.0f}};
  return options;
}

void expect_same(const Message& a, const Message& b) {
  EXPECT_EQ(a.content, b.content);
  EXPECT_EQ(a.reasoning, b.reasoning);
  EXPECT_EQ(a.tool_calls, b.tool_calls);
  EXPECT_EQ(a.tokens, b.tokens);
}

// Wherever an answer is cut, within code points, thinking and calls too: what is gone on with is the whole one.
TEST(Continue, IsAsIfItHadntBeenCut) {
  for (const bool thinks : {false, true}) {
    test::TinyModel model;
    model.thinks = thinks;
    const test::TinyEngine tiny(model);
    const Chat chat = Chat::create(tiny.engine(), {.form = ChatForm::kLfm2}).value();
    std::size_t calls = 0, thoughts = 0;
    for (std::uint64_t seed = 0; seed < 30; ++seed) {
      SCOPED_TRACE(seed);
      std::vector<Message> messages = {{Role::kUser, "Why?"}};
      Session session = tiny.session();
      const Answer whole = chat.answer(session, messages, lively(24, seed)).value();
      calls += whole.finish.tool_calls + whole.finish.malformed_calls;
      thoughts += whole.finish.reasoning_tokens;
      const std::size_t cut = whole.finish.tokens * (seed % 5 + 1) / 7;
      Answer part = chat.answer(session, messages, lively(cut, seed)).value();
      messages.push_back(part.message);
      if (part.message.tokens.empty()) continue;
      GenerateOptions rest = lively(24 - cut, seed);
      rest.continue_last = true;
      std::string said;
      const auto more = chat.answer(session, messages, rest, [&](const Piece& piece) {
        if (piece.kind == PieceKind::kText || piece.kind == PieceKind::kMalformedCall) said += piece.text;
        return true;
      });
      ASSERT_TRUE(more.ok()) << more.error().describe();
      EXPECT_EQ(more->prompt.evaluated, 0u);
      EXPECT_EQ(more->finish.tokens + cut, whole.finish.tokens);
      EXPECT_TRUE(more->message.content.ends_with(said));
      expect_same(more->message, whole.message);
    }
    EXPECT_GT(calls, 5u);
    if (thinks) {
      EXPECT_GT(thoughts, 20u);
    }
  }
}

// A beginning of the application's, in every form and with the model's own template.
TEST(Continue, ABeginningThatIsGiven) {
  const test::TinyEngine tiny;
  for (const ChatForm form : {ChatForm::kFromModel, ChatForm::kChatMl, ChatForm::kLfm2, ChatForm::kLfm25}) {
    const Chat chat = Chat::create(tiny.engine(), {.form = form}).value();
    Session session = tiny.session();
    std::vector<Message> messages = {{Role::kUser, "Who?"}, {Role::kAssistant, "It was"}};
    GenerateOptions options = lively(8, 1);
    options.sampling.logit_bias = {{14 + 'A', 1000.0f}};
    options.continue_last = true;
    const auto answer = chat.answer(session, messages, options);
    ASSERT_TRUE(answer.ok()) << answer.error().describe();
    EXPECT_EQ(answer->message.content, "It wasAAAAAAAA");
    const auto said = tiny.engine().tokenizer().decode(answer->message.tokens);
    ASSERT_TRUE(said.ok());
    EXPECT_EQ(*said, answer->message.content);
    // And it stands in the conversation as it was said.
    messages.back() = answer->message;
    messages.push_back({Role::kUser, "Really?"});
    const auto next = chat.answer(session, messages, lively(2, 1));
    ASSERT_TRUE(next.ok());
    EXPECT_GE(next->prompt.reused + 1, session.tokens().size() - next->prompt.evaluated - 2);
  }
}

TEST(Continue, WhatCantBe) {
  const test::TinyEngine tiny;
  const Chat chat = Chat::create(tiny.engine()).value();
  Session session = tiny.session();
  const GenerateOptions options{.max_tokens = 3, .continue_last = true};
  const std::vector<Message> user = {{Role::kUser, "Why?"}};
  test::expect_error(chat.answer(session, user, options), ErrorCode::kArgument, "continue_last");
  test::expect_error(chat.answer(session, {}, options), ErrorCode::kArgument, "messages");
  ChatOptions plain;
  plain.custom = [](std::span<const Message>, bool) -> Result<std::vector<ChatSegment>> {
    return std::vector<ChatSegment>{{"without an end"}};
  };
  const Chat custom = Chat::create(tiny.engine(), plain).value();
  const std::vector<Message> begun = {{Role::kUser, "Why?"}, {Role::kAssistant, "So"}};
  test::expect_error(custom.answer(session, begun, options), ErrorCode::kArgument, "continue_last");
}

TEST(Fit, TheOldestTurnsGo) {
  const test::TinyEngine tiny;
  const Chat chat = Chat::create(tiny.engine()).value();
  std::vector<Message> messages = {{Role::kSystem, "Be brief."}};
  for (int turn = 0; turn < 5; ++turn) {
    messages.push_back({Role::kUser, "question " + std::to_string(turn)});
    messages.push_back({.role = Role::kAssistant, .tool_calls = {{"f", "{}"}}});
    messages.push_back({Role::kTool, "result"});
    messages.push_back({Role::kAssistant, "answer"});
  }
  messages.push_back({Role::kUser, "and now?"});
  const std::size_t all = chat.count(messages).value();
  std::size_t before = 0;
  for (std::size_t room = all + 1; room > 0; --room) {
    const auto drop = chat.fit(messages, room);
    if (!drop.ok()) {
      EXPECT_EQ(drop.error().code, ErrorCode::kLimit);
      EXPECT_EQ(drop.error().limit, room);
      EXPECT_EQ(drop.error().have, room + 1);
      break;
    }
    EXPECT_EQ(*drop % 4, 0u);
    EXPECT_GE(*drop, before);
    before = *drop;
    std::vector<Message> rest = messages;
    rest.erase(rest.begin() + 1, rest.begin() + 1 + static_cast<std::ptrdiff_t>(*drop));
    EXPECT_LE(chat.count(rest).value(), room);
    if (*drop > 0) {
      rest.insert(rest.begin() + 1, messages.begin() + 1 + static_cast<std::ptrdiff_t>(*drop) - 4,
                  messages.begin() + 1 + static_cast<std::ptrdiff_t>(*drop));
      EXPECT_GT(chat.count(rest).value(), room);
    }
  }
  EXPECT_EQ(before, 20u);
}

TEST(Tools, HaveANameEach) {
  const test::TinyEngine tiny;
  for (const char* tools :
       {"[{}]", R"([{"name": 1}])", R"([{"name": ""}])", R"([{"type": "function", "function": {}}])"}) {
    const auto chat = Chat::create(tiny.engine(), {.tools = tools});
    test::expect_error(chat, ErrorCode::kArgument, "tools");
    EXPECT_EQ(chat.error().index, 0u);
  }
  const auto twice = Chat::create(tiny.engine(), {.tools = R"([{"name": "a"}, {"function": {"name": "a"}}])"});
  test::expect_error(twice, ErrorCode::kArgument, "tools");
  EXPECT_EQ(twice.error().index, 1u);
}

TEST(MessageJson, OfOthers) {
  const auto read = messages_from_json(R"([
      {"role": "developer", "content": [{"type": "text", "text": "Be "}, "brief."]},
      {"role": "assistant", "content": null, "reasoning_content": "hm", "tool_calls":
          [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"b\": 1, \"a\": [null]}"}}]},
      {"role": "tool", "tool_call_id": "1", "content": "3"}])");
  ASSERT_TRUE(read.ok()) << read.error().describe();
  EXPECT_EQ((*read)[0].role, Role::kSystem);
  EXPECT_EQ((*read)[0].content, "Be brief.");
  EXPECT_EQ((*read)[1].reasoning, "hm");
  EXPECT_EQ((*read)[1].tool_calls, (std::vector<ToolCall>{{"f", R"({"b":1,"a":[null]})"}}));
  const auto again = messages_from_json(to_json(*read).value());
  ASSERT_TRUE(again.ok());
  for (std::size_t i = 0; i < read->size(); ++i) expect_same((*again)[i], (*read)[i]);

  EXPECT_EQ(to_json(std::vector<Message>{{Role::kUser, "a\xff"}}).value(),
            "[{\"role\":\"user\",\"content\":\"a\xef\xbf\xbd\"}]");
  for (const char* bad :
       {"", "{}", "[1]", "[{}]", R"([{"role": "user", "content": 1}])", R"([{"role": "user", "role": "user"}])",
        R"([{"role": "user", "content": [{"type": "image_url"}]}])", R"([{"role": "user", "tokens": [-1]}])",
        R"([{"role": "user", "tokens": [1.5]}])", R"([{"role": "assistant", "tool_calls": [{"name": "f"}]}])"}) {
    const auto problem = messages_from_json(bad);
    ASSERT_FALSE(problem.ok()) << bad;
    EXPECT_EQ(problem.error().code, ErrorCode::kFormat) << bad;
  }
}

}  // namespace
}  // namespace lfm
