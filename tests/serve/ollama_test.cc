// Ollama's dialect, with a model that knows its answers.
#include <gtest/gtest.h>

#include <sstream>

#include "client.h"
#include "running.h"

namespace lfm::test {
namespace {

Json asking(const std::string& question) {
  return {{"model", "nano"},
          {"messages", {{{"role", "user"}, {"content", question}}}},
          {"options", {{"temperature", 0}}},
          {"stream", false}};
}

Json weather_tool() {
  return Json::parse(R"({"type": "function", "function": {"name": "get_weather", "description": "Weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}})");
}

std::vector<Json> lines_of(const Answer& answer) {
  std::vector<Json> out;
  std::istringstream lines(answer.body);
  for (std::string line; std::getline(lines, line);) out.push_back(Json::parse(line));
  return out;
}

class ServedOllama : public testing::Test {
 protected:
  Answer chat(const Json& body) { return ask(running_.port(), "/api/chat", body); }

  Running running_;
};

TEST_F(ServedOllama, WhatIsAskedBeforeATalk) {
  const std::uint16_t port = running_.port();
  EXPECT_TRUE(get(port, "/api/version").json()["version"].is_string());
  const Json tags = get(port, "/api/tags").json();
  ASSERT_EQ(tags["models"].size(), 1u);
  EXPECT_EQ(tags["models"][0]["model"], "nano");
  EXPECT_GT(tags["models"][0]["size"], 0);
  EXPECT_EQ(get(port, "/api/ps").json()["models"][0]["name"], "nano");
  const Json shown = ask(port, "/api/show", {{"model", "nano"}}).json();
  EXPECT_EQ(shown["details"]["quantization_level"], "Q4_0");
  EXPECT_EQ(tags["models"][0]["details"]["quantization_level"], "Q4_0");
  const std::string front = shown["model_info"]["general.architecture"];
  EXPECT_GT(shown["model_info"][front + ".context_length"], 0);
  EXPECT_EQ(shown["capabilities"][0], "completion");
  EXPECT_EQ(shown["capabilities"][1], "tools");
  EXPECT_EQ(chat({{"model", "nano"}, {"messages", Json::array()}, {"stream", false}}).json()["done_reason"], "load");
}

TEST_F(ServedOllama, WholeAndInLines) {
  Json body = asking("What is 17 + 25?");
  const Json whole = chat(body).json();
  EXPECT_EQ(whole["message"], (Json{{"role", "assistant"}, {"content", "17 + 25 = 42."}}));
  EXPECT_EQ(whole["done"], true);
  EXPECT_EQ(whole["done_reason"], "stop");
  EXPECT_GT(whole["eval_count"], 0);
  EXPECT_GT(whole["prompt_eval_count"], 0);
  body.erase("stream");  // the usual
  const Answer answer = chat(body);
  EXPECT_EQ(answer.header("Content-Type"), "application/x-ndjson");
  std::string text;
  const auto lines = lines_of(answer);
  ASSERT_GE(lines.size(), 3u);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i]["done"], i + 1 == lines.size());
    text += lines[i]["message"]["content"].get<std::string>();
  }
  EXPECT_EQ(text, "17 + 25 = 42.");
}

TEST_F(ServedOllama, Generate) {
  Json body = {{"model", "nano"}, {"prompt", "What is 17 + 25?"}, {"stream", false}, {"options", {{"temperature", 0}}}};
  EXPECT_EQ(ask(running_.port(), "/api/generate", body).json()["response"], "17 + 25 = 42.");
  body["options"]["num_predict"] = 3;
  const Json cut = ask(running_.port(), "/api/generate", body).json();
  EXPECT_EQ(cut["done_reason"], "length");
  EXPECT_EQ(cut["eval_count"], 3);
  body["raw"] = true;
  EXPECT_EQ(ask(running_.port(), "/api/generate", body).status, 200);
  body["prompt"] = "";
  EXPECT_EQ(ask(running_.port(), "/api/generate", body).json()["done_reason"], "load");
}

TEST_F(ServedOllama, ToolsAndSchemas) {
  Json body = asking("What is the weather in Rome?");
  body["tools"] = {weather_tool()};
  const Json said = chat(body).json()["message"];
  ASSERT_EQ(said["tool_calls"].size(), 1u) << said.dump();
  EXPECT_EQ(said["tool_calls"][0]["function"]["name"], "get_weather");
  EXPECT_EQ(said["tool_calls"][0]["function"]["arguments"]["city"], "Rome");
  body["messages"].push_back(said);
  body["messages"].push_back({{"role", "tool"}, {"tool_name", "get_weather"}, {"content", R"({"celsius": 21})"}});
  const Json answer = chat(body).json()["message"];
  EXPECT_FALSE(answer["content"].get<std::string>().empty()) << answer.dump();

  body = asking("Ada is 36. Give me JSON.");
  body["format"] = Json::parse(R"({"type": "object", "properties": {"age": {"type": "integer", "maximum": 6}},
                                   "required": ["age"], "additionalProperties": false})");
  EXPECT_LE(Json::parse(chat(body).json()["message"]["content"].get<std::string>())["age"], 6);
}

TEST_F(ServedOllama, ErrorsAreASentence) {
  const auto refused = [&](const char* field, Json value, const std::string& says) {
    Json body = asking("Hello");
    body[field] = std::move(value);
    const Answer answer = chat(body);
    EXPECT_EQ(answer.status, 400) << answer.body;
    EXPECT_NE(answer.json()["error"].get<std::string>().find(says), std::string::npos) << answer.body;
  };
  refused("messages", "no", "messages");
  refused("messages", {{{"role", "robot"}, {"content", "a"}}}, "messages[0]");
  refused("messages", {{{"role", "user"}, {"content", "a"}, {"images", {"x"}}}}, "messages[0].images");
  refused("options", {{"temperature", -5}}, "options.temperature");
  refused("options", {{"num_predict", "many"}}, "options.num_predict");
  refused("format", 7, "format");
  refused("think", "perhaps", "think");
}

}  // namespace
}  // namespace lfm::test
