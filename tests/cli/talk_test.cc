// Conversations with a tiny network: what changes cost, what is remembered.
#include "talk/talk.h"

#include <unistd.h>

#include <stdexcept>

#include "engine/tiny_engine.h"
#include "support/expect.h"
#include "support/temp_folder.h"
#include "talk/interruptible.h"
#include "talk/obey.h"

namespace lfm::cli {
namespace {

using test::expect_error;
using test::expect_ok;

class TalkTest : public testing::Test {
 protected:
  Talk open(std::string system = "", float temperature = 0, std::size_t context = 0) const {
    TalkOptions options;
    options.session.context_tokens = context;
    options.generate.max_tokens = 12;
    options.generate.ignore_end = true;
    options.generate.sampling = SamplingOptions{.temperature = temperature};
    options.generate.sampling.seed = 9;
    Conversation conversation;
    conversation.system = std::move(system);
    auto talk = Talk::open(engine_.engine(), options, std::move(conversation));
    if (!talk.ok()) throw std::runtime_error(talk.error().describe());
    return *std::move(talk);
  }

  static Answer ask(Talk& talk, const std::string& question) {
    talk.add({Role::kUser, question});
    return answer(talk);
  }

  static Answer answer(Talk& talk) {
    auto answer = talk.answer([](const Piece&) { return true; });
    if (!answer.ok()) throw std::runtime_error(answer.error().describe());
    return *std::move(answer);
  }

  static std::vector<std::string> told(Talk& talk, const std::string& command) {
    auto lines = obey(talk, parse_request(command).value());
    if (!lines.ok()) return {"error: " + lines.error().describe()};
    return *std::move(lines);
  }

  test::TinyEngine engine_;
  test::TempFolder folder_;
};

constexpr std::size_t kSnapshot = 32;  // tokens that are read again at most

TEST_F(TalkTest, TheNextQuestionCostsItselfOnly) {
  Talk talk = open(std::string(300, 's'));
  const Answer first = ask(talk, "Hello");
  EXPECT_GT(first.prompt.evaluated, 250u);
  const Answer second = ask(talk, "Hi");
  EXPECT_GE(second.prompt.reused, first.prompt.evaluated + 10);
  EXPECT_LT(second.prompt.evaluated, 20u + kSnapshot);
}

TEST_F(TalkTest, AnEditCostsFromTheNearestSnapshot) {
  Talk talk = open();
  for (int n = 0; n < 6; ++n) ask(talk, std::string(80, static_cast<char>('a' + n)));
  const std::size_t place = talk.conversation().place_of(5).value();
  talk.cut(place);
  const Answer edited = ask(talk, "b");
  EXPECT_GT(edited.prompt.reused, 300u);
  EXPECT_LT(edited.prompt.evaluated, 20u + kSnapshot);

  Talk fresh = open();
  for (std::size_t n = 0; n < place; ++n) fresh.add(talk.conversation().messages[n]);
  EXPECT_EQ(ask(fresh, "b").message.content, edited.message.content) << "as if it had been asked so from the start";
}

TEST_F(TalkTest, AnotherAnswerCostsNoReading) {
  Talk talk = open("", 1.0f);
  const Answer first = ask(talk, "Hello");
  expect_ok(talk.take_answer());
  const Answer second = answer(talk);
  EXPECT_LE(second.prompt.evaluated, 1u);
  EXPECT_NE(second.message.content, first.message.content);
  expect_ok(talk.take_answer());
  EXPECT_NE(answer(talk).message.content, second.message.content);
  expect_ok(talk.undo(1));
  EXPECT_EQ(ask(talk, "Hello").message.content, first.message.content) << "the seed counts answers to one question";
}

TEST_F(TalkTest, WhatFailsLeavesTheMessages) {
  Talk talk = open("", 0, 100);
  ask(talk, "Hello");
  const std::size_t before = talk.conversation().messages.size();
  talk.add({Role::kUser, std::string(200, 'x')});
  const auto failed = talk.answer([](const Piece&) { return true; });
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, ErrorCode::kLimit);
  EXPECT_EQ(talk.conversation().messages.size(), before + 1);
  talk.cut(before);
  EXPECT_GT(ask(talk, "Hi").prompt.reused, 10u);
}

// One that came when the answer was said.
TEST_F(TalkTest, AStopThatComesTooLateEndsNothing) {
  Talk talk = open();
  ask(talk, "Hello");
  talk.session().cancel();
  talk.add({Role::kUser, "Hi"});
  const auto next = answer_interruptibly(talk, 1, [](const Piece&) { return true; });
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(next->finish.reason, FinishReason::kLength);
}

TEST_F(TalkTest, SavedAndLoadedGoesOnAlike) {
  const std::string path = folder_.path("talk.json");
  Talk talk = open("Be brief.");
  ask(talk, "Hello");
  EXPECT_EQ(told(talk, "/save " + path), std::vector<std::string>{"saved to " + path});
  Talk loaded = open();
  EXPECT_EQ(told(loaded, "/load " + path), std::vector<std::string>{"1 question loaded; /show shows them"});
  EXPECT_EQ(loaded.conversation().system, "Be brief.");
  const Answer here = ask(talk, "And then?"), there = ask(loaded, "And then?");
  EXPECT_EQ(there.message.content, here.message.content);
  EXPECT_EQ(there.prompt.reused, here.prompt.reused);

  ASSERT_EQ(::unlink((path + ".state").c_str()), 0);
  Talk again = open();
  const std::vector<std::string> lines = told(again, "/load " + path);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(lines[1].starts_with("note: the conversation will be read again: ")) << lines[1];
  EXPECT_EQ(ask(again, "And then?").message.content, here.message.content);
}

TEST_F(TalkTest, AFileThatCannotBeLoadedChangesNothing) {
  Talk talk = open("Be brief.");
  ask(talk, "Hello");
  const std::string bad = folder_.write("bad.json", R"({"format":"lfm chat","version":1,"messages":[1]})");
  EXPECT_EQ(told(talk, "/load " + bad)[0], "error: " + bad + ": messages: isn't an object (index 0)");
  EXPECT_EQ(talk.conversation().messages.size(), 2u);
  EXPECT_GT(ask(talk, "Hi").prompt.reused, 10u);
}

TEST_F(TalkTest, CommandsSayWhatTheyDid) {
  Talk talk = open();
  EXPECT_EQ(told(talk, "/show")[0], "nothing was said yet");
  EXPECT_EQ(told(talk, "/system")[0], "no system prompt");
  EXPECT_EQ(told(talk, "/system Be brief.")[0], "system prompt set; the next answer follows it");
  EXPECT_EQ(told(talk, "/system")[0], "Be brief.");
  ask(talk, "Hello");
  const std::vector<std::string> shown = told(talk, "/show");
  ASSERT_EQ(shown.size(), 3u);
  EXPECT_EQ(shown[0], "system: Be brief.");
  EXPECT_EQ(shown[1], "1: Hello");
  EXPECT_EQ(shown[2], "assistant: " + talk.conversation().messages[1].content);
  EXPECT_EQ(told(talk, "/undo")[0], "0 questions left");
  EXPECT_EQ(told(talk, "/undo")[0], "error: nothing was asked yet");
  EXPECT_EQ(told(talk, "/system clear")[0], "system prompt removed");
  ask(talk, "Hello");
  EXPECT_EQ(told(talk, "/clear")[0], "cleared");
  EXPECT_TRUE(talk.conversation().messages.empty());
  EXPECT_EQ(told(talk, "/help").size(), help_lines().size());
}

TEST_F(TalkTest, ToolsComeFromFiles) {
  Talk talk = open();
  EXPECT_EQ(told(talk, "/tools")[0], "no tools");
  const std::string path = folder_.write(
      "tools.json", R"([{"name":"f","description":"does f"},{"type":"function","function":{"name":"g"}}])");
  EXPECT_EQ(told(talk, "/tools " + path), (std::vector<std::string>{"f: does f", "g"}));
  const std::string nameless = folder_.write("nameless.json", R"([{"name":"f"},{"x":1}])");
  EXPECT_EQ(told(talk, "/tools " + nameless)[0], "error: tools: a tool without a name (index 1)");
  const std::string bad = folder_.write("bad.json", "{}");
  EXPECT_EQ(told(talk, "/tools " + bad)[0], "error: " + bad + ": tools: isn't a list");
  EXPECT_EQ(told(talk, "/tools").size(), 2u) << "as before";
  EXPECT_EQ(told(talk, "/tools clear")[0], "no tools");
}

TEST_F(TalkTest, CallsAreHeldToTheToolsThereAre) {
  TalkOptions options;
  options.generate.max_tokens = 60;
  options.generate.sampling = SamplingOptions{.temperature = 0};
  options.tool_choice = ToolConstraint{.single = true};
  Talk talk = Talk::open(engine_.engine(), options, {}).value();
  const std::string f = folder_.write("f.json", R"([{"name":"f"}])");
  const std::string g = folder_.write("g.json", R"([{"name":"g"}])");
  const std::string odd = folder_.write("odd.json", R"([{"name":"h","parameters":{"$dynamicRef":"#a"}}])");
  const auto called = [&] {
    ask(talk, "Hello");
    const Message& last = talk.conversation().messages.back();
    return last.tool_calls.empty() ? last.content : last.tool_calls[0].name;
  };
  told(talk, "/tools " + f);
  EXPECT_EQ(called(), "f");
  told(talk, "/tools " + g);
  EXPECT_EQ(called(), "g");
  EXPECT_EQ(told(talk, "/tools " + odd)[0], "error: /0/parameters/$dynamicRef: \"$dynamicRef\" can't be held");
  EXPECT_EQ(called(), "g") << "as before";
}

TEST_F(TalkTest, StatisticsTellWhatWasReused) {
  Talk talk = open();
  EXPECT_EQ(told(talk, "/stats").size(), 4u);
  ask(talk, "Hello");
  ask(talk, "Hi");
  const std::vector<std::string> lines = told(talk, "/stats");
  ASSERT_EQ(lines.size(), 6u);
  EXPECT_NE(lines[0].find(std::to_string(talk.tally().last.prompt.reused) + " reused"), std::string::npos) << lines[0];
  EXPECT_NE(lines[1].find("12 in "), std::string::npos) << lines[1];
  EXPECT_NE(lines[1].find("ended by length"), std::string::npos) << lines[1];
  EXPECT_EQ(talk.tally().answers, 2u);
}

}  // namespace
}  // namespace lfm::cli
