// What was said, and how it is changed.
#include "talk/conversation.h"

#include "support/expect.h"

namespace lfm::cli {
namespace {

using test::expect_error;
using test::expect_ok;

const ToolCall kWeather{"weather", R"({"city":"Rome"})"};
const ToolCall kTime{"time", "{}"};

Conversation sample() {
  Conversation out;
  out.messages = {{Role::kUser, "one"},    {Role::kAssistant, "1"},
                  {Role::kUser, "two"},    {Role::kAssistant, "", "", {kWeather, kTime}},
                  {Role::kTool, "sunny"},  {Role::kTool, "noon"},
                  {Role::kAssistant, "2"}, {Role::kUser, "three"},
                  {Role::kAssistant, "3"}};
  return out;
}

std::string contents(const Conversation& conversation) {
  std::string out;
  for (const Message& message : conversation.all())
    out += std::string(to_string(message.role), 1) + ":" + message.content + " ";
  return out;
}

TEST(Conversation, TheSystemPromptComesFirst) {
  Conversation conversation = sample();
  EXPECT_EQ(contents(conversation), "u:one a:1 u:two a: t:sunny t:noon a:2 u:three a:3 ");
  conversation.system = "S";
  conversation.messages.resize(1);
  EXPECT_EQ(contents(conversation), "s:S u:one ");
}

TEST(Conversation, UndoForgetsQuestionsAndWhatFollowed) {
  Conversation conversation = sample();
  expect_ok(conversation.undo(1));
  EXPECT_EQ(contents(conversation), "u:one a:1 u:two a: t:sunny t:noon a:2 ");
  expect_ok(conversation.undo(2));
  EXPECT_TRUE(conversation.messages.empty());
  conversation = sample();
  expect_ok(conversation.undo(2));
  EXPECT_EQ(contents(conversation), "u:one a:1 ");
  expect_error(conversation.undo(2), ErrorCode::kArgument, "you asked 1 time so far, not 2");
  EXPECT_EQ(contents(conversation), "u:one a:1 ");
  expect_ok(conversation.undo(1));
  expect_error(conversation.undo(1), ErrorCode::kArgument, "nothing was asked yet");
}

TEST(Conversation, QuestionsHaveNumbers) {
  const Conversation conversation = sample();
  EXPECT_EQ(conversation.questions(), 3u);
  EXPECT_EQ(conversation.place_of(1).value(), 0u);
  EXPECT_EQ(conversation.place_of(2).value(), 2u);
  EXPECT_EQ(conversation.place_of(3).value(), 7u);
  EXPECT_EQ(conversation.place_of(0).value(), 7u);
  expect_error(conversation.place_of(4), ErrorCode::kArgument, "you asked 3 times so far, not 4");
  expect_error(Conversation().place_of(0), ErrorCode::kArgument, "nothing was asked yet");
}

TEST(Conversation, TakingAnAnswerLeavesWhatItAnswers) {
  Conversation conversation = sample();
  expect_ok(conversation.take_answer());
  EXPECT_EQ(contents(conversation), "u:one a:1 u:two a: t:sunny t:noon a:2 u:three ");
  expect_ok(conversation.take_answer());  // a question without an answer can be answered as it is
  EXPECT_EQ(contents(conversation), "u:one a:1 u:two a: t:sunny t:noon a:2 u:three ");
  conversation.messages.pop_back();
  expect_ok(conversation.take_answer());
  EXPECT_EQ(conversation.messages.back().content, "noon");

  Conversation empty;
  expect_error(empty.take_answer(), ErrorCode::kState, "nothing to answer");
  empty.messages = {{Role::kAssistant, "Hello, I speak first."}};
  expect_error(empty.take_answer(), ErrorCode::kState, "nothing to answer");
  EXPECT_EQ(empty.messages.size(), 1u);
}

TEST(Conversation, CallsWaitForTheirResultsInOrder) {
  Conversation conversation = sample();
  EXPECT_TRUE(conversation.open_calls().empty());
  conversation.messages.resize(6);
  EXPECT_TRUE(conversation.open_calls().empty());
  conversation.messages.resize(5);
  EXPECT_EQ(conversation.open_calls(), std::vector<ToolCall>{kTime});
  conversation.messages.resize(4);
  EXPECT_EQ(conversation.open_calls(), (std::vector<ToolCall>{kWeather, kTime}));
  conversation.messages.resize(3);
  EXPECT_TRUE(conversation.open_calls().empty());
  conversation.messages = {{Role::kTool, "stray"}};
  EXPECT_TRUE(conversation.open_calls().empty());
}

}  // namespace
}  // namespace lfm::cli
