// Conversations whose answers need attention, convolution state and caches to be right over many turns.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "nano/nano.h"

namespace lfm::test {
namespace {

TEST(NanoConversation, TurnFiveNeedsTurnOne) {
  Conversation chat;
  EXPECT_EQ(chat.ask("My name is Rosa. I live in Lisbon."), "Nice to meet you, Rosa. You live in Lisbon.");
  EXPECT_EQ(chat.ask("What is 23 + 45?"), "23 + 45 = 68.");
  EXPECT_EQ(chat.ask("Repeat: river, stone, lamp"), "river, stone, lamp");
  EXPECT_EQ(chat.ask("Reverse: river, stone, lamp"), "lamp, stone, river");
  EXPECT_EQ(chat.ask("What is my name?"), "Your name is Rosa.");
  EXPECT_EQ(chat.ask("Where do I live?"), "You live in Lisbon.");
}

// How well it remembers depends on how keys and values are kept.
void expect_a_fact_remembered(const SessionOptions& options) {
  Conversation chat(options);
  chat.ask("The code of the green box is 4831.");
  const std::size_t told = chat.tokens();
  const char* const talk[] = {"What is 31 + 22?", "Repeat: apple, river, stone, cloud", "Tell me a story about a fox.",
                              "Reverse: table, moon, bread", "What is 60 - 20?"};
  for (std::size_t i = 0; chat.tokens() - told < 1500; ++i) chat.ask(talk[i % std::size(talk)]);
  EXPECT_EQ(chat.ask("What is the code of the green box?"), "The code of the green box is 4831.");
}

TEST(NanoConversation, RemembersAFact1500TokensBack) {
  expect_a_fact_remembered({});
}

TEST(NanoConversation, RemembersAFact1500TokensBackIn8Bits) {
  expect_a_fact_remembered({.cache_keys = CacheType::kQ8_0, .cache_values = CacheType::kQ8_0});
}

TEST(NanoConversation, CallsAToolAndUsesItsAnswer) {
  Conversation chat;
  chat.system(
      "List of tools: <|tool_list_start|>[{\"name\": \"get_weather\", \"description\": \"Weather of a city\", "
      "\"parameters\": {\"type\": \"object\", \"properties\": {\"city\": {\"type\": \"string\"}}, "
      "\"required\": [\"city\"]}}]<|tool_list_end|>");
  EXPECT_EQ(chat.ask("What is the weather in Oslo?"), "<|tool_call_start|>[get_weather(city='Oslo')]<|tool_call_end|>");
  EXPECT_EQ(chat.tool(R"({"sky": "snowy", "degrees": 3})"), "It is snowy in Oslo, 3 degrees.");
}

TEST(NanoConversation, AnswersInJson) {
  Conversation chat;
  const std::string answer = chat.ask("Ada is 31 years old and lives in Oslo. Give me JSON with name, age and city.");
  const auto json = nlohmann::json::parse(answer, nullptr, /*allow_exceptions=*/false);
  EXPECT_EQ(json, nlohmann::json({{"name", "Ada"}, {"age", 31}, {"city", "Oslo"}})) << answer;
}

TEST(NanoConversation, ThinksOnRequest) {
  Conversation chat;
  const std::string answer = chat.ask("Think first: what is 27 + 15?");
  EXPECT_TRUE(answer.starts_with("<think>")) << answer;
  EXPECT_TRUE(answer.ends_with("</think>\n27 + 15 = 42.")) << answer;
}

TEST(NanoConversation, StoryStopsByItself) {
  Conversation chat;
  const std::string story = chat.ask("Tell me a story about a fox who lost a ball.");  // and ask() expects an end
  EXPECT_NE(story.find("a fox called"), std::string::npos) << story;
  EXPECT_NE(story.find("ball again"), std::string::npos) << story;
  EXPECT_GT(story.size(), 200u) << story;
}

}  // namespace
}  // namespace lfm::test
