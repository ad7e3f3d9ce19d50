// Messages in Anthropic's dialect, with a model that knows its answers.
#include <gtest/gtest.h>

#include "client.h"
#include "running.h"

namespace lfm::test {
namespace {

Json weather_tool() {
  return Json::parse(R"({"name": "get_weather", "description": "Weather of a city", "input_schema":
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}})");
}

Json asking(const std::string& question) {
  return {{"model", "claude"},
          {"max_tokens", 100},
          {"messages", {{{"role", "user"}, {"content", question}}}},
          {"temperature", 0}};
}

class ServedMessages : public testing::Test {
 protected:
  Answer send(const Json& body) { return ask(running_.port(), "/v1/messages", body); }

  Running running_;
};

TEST_F(ServedMessages, Whole) {
  const Answer answer = send(asking("What is 17 + 25?"));
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json json = answer.json();
  EXPECT_EQ(json["type"], "message");
  EXPECT_EQ(json["role"], "assistant");
  EXPECT_TRUE(json["id"].get<std::string>().starts_with("msg_"));
  EXPECT_EQ(json["content"], Json::array({{{"type", "text"}, {"text", "17 + 25 = 42."}}}));
  EXPECT_EQ(json["stop_reason"], "end_turn");
  EXPECT_EQ(json["stop_sequence"], nullptr);
  const Json count = ask(running_.port(), "/v1/messages/count_tokens", asking("What is 17 + 25?")).json();
  const Json& usage = json["usage"];
  EXPECT_EQ(usage["input_tokens"].get<int>() + usage["cache_read_input_tokens"].get<int>(), count["input_tokens"]);
  EXPECT_GT(usage["output_tokens"], 0);
}

TEST_F(ServedMessages, AStreamSaysTheSameInItsOrder) {
  Json body = asking("Tell me a story.");
  const Json whole = send(body).json();
  body["stream"] = true;
  const Answer answer = send(body);
  EXPECT_NE(answer.body.find("event: message_start\ndata: "), std::string::npos);
  std::string order, text;
  for (const Json& event : answer.events()) {
    const std::string type = event["type"];
    if (!order.ends_with(type + " ")) order += type + " ";
    if (type == "content_block_delta") text += event["delta"]["text"].get<std::string>();
    if (type == "message_start") {
      EXPECT_EQ(event["message"]["content"], Json::array());
    }
    if (type == "message_delta") {
      EXPECT_EQ(event["delta"]["stop_reason"], whole["stop_reason"]);
      EXPECT_EQ(event["usage"]["output_tokens"], whole["usage"]["output_tokens"]);
    }
  }
  EXPECT_EQ(order,
            "message_start ping content_block_start content_block_delta content_block_stop message_delta "
            "message_stop ");
  EXPECT_EQ(text, whole["content"][0]["text"]);
}

TEST_F(ServedMessages, HowItEnds) {
  Json body = asking("Tell me a story.");
  body["max_tokens"] = 3;
  EXPECT_EQ(send(body).json()["stop_reason"], "max_tokens");
  body = asking("What is 17 + 25?");
  body["stop_sequences"] = {" ="};
  const Json json = send(body).json();
  EXPECT_EQ(json["stop_reason"], "stop_sequence");
  EXPECT_EQ(json["stop_sequence"], " =");
  EXPECT_EQ(json["content"][0]["text"], "17 + 25");
}

TEST_F(ServedMessages, ToolsAreUsedInALoop) {
  Json body = asking("What is the weather in Rome?");
  body["tools"] = {weather_tool()};
  body["tool_choice"] = {{"type", "any"}};
  const Json said = send(body).json();
  EXPECT_EQ(said["stop_reason"], "tool_use") << said.dump();
  const Json& use = said["content"].back();
  EXPECT_EQ(use["type"], "tool_use");
  EXPECT_EQ(use["name"], "get_weather");
  ASSERT_TRUE(use["input"]["city"].is_string()) << use.dump();
  body["messages"].push_back({{"role", "assistant"}, {"content", said["content"]}});
  body["messages"].push_back(
      {{"role", "user"},
       {"content", {{{"type", "tool_result"}, {"tool_use_id", use["id"]}, {"content", R"({"celsius": 21})"}}}}});
  body["tool_choice"] = {{"type", "none"}};
  const Json answer = send(body).json();
  EXPECT_EQ(answer["stop_reason"], "end_turn") << answer.dump();
  EXPECT_EQ(answer["content"][0]["type"], "text");

  body = asking("Say hello.");
  body["tools"] = {weather_tool()};
  body["tool_choice"] = {{"type", "tool"}, {"name", "get_weather"}};
  body["stream"] = true;
  std::string input;
  Json block;
  for (const Json& event : send(body).events()) {
    if (event["type"] == "content_block_start") block = event["content_block"];
    if (event["type"] == "content_block_delta" && event["delta"]["type"] == "input_json_delta")
      input += event["delta"]["partial_json"].get<std::string>();
  }
  EXPECT_EQ(block["type"], "tool_use");
  EXPECT_EQ(block["name"], "get_weather");
  EXPECT_TRUE(Json::parse(input)["city"].is_string()) << input;
}

TEST_F(ServedMessages, ASchemaIsHeldTo) {
  Json body = asking("Ada is 36. Give me JSON.");
  body["output_config"] = {
      {"format",
       {{"type", "json_schema"},
        {"schema", Json::parse(R"({"type": "object", "properties": {"age": {"type": "integer", "maximum": 6}},
                                   "required": ["age"], "additionalProperties": false})")}}}};
  const Json json = send(body).json();
  EXPECT_LE(Json::parse(json["content"][0]["text"].get<std::string>())["age"], 6);
}

// What an agent puts first in its prompt changes with each request; what is read doesn't.
TEST_F(ServedMessages, ABillingLineIsNotRead) {
  const auto tokens = [&](Json system) {
    Json body = asking("Hello");
    if (!system.is_null()) body["system"] = std::move(system);
    return ask(running_.port(), "/v1/messages/count_tokens", body).json()["input_tokens"].get<int>();
  };
  const Json brief = {{"type", "text"}, {"text", "Be brief."}};
  const auto billing = [](const std::string& sum) {
    return Json{{"type", "text"}, {"text", "x-anthropic-billing-header: cc_version=2; cch=" + sum + ";"}};
  };
  EXPECT_EQ(tokens(Json::array({billing("1"), brief})), tokens("Be brief."));
  EXPECT_EQ(tokens(Json::array({billing("22222"), brief})), tokens("Be brief."));
  EXPECT_EQ(tokens("x-anthropic-billing-header: cch=3;\nBe brief."), tokens("Be brief."));
  EXPECT_EQ(tokens(Json::array({billing("1")})), tokens(nullptr));
}

TEST_F(ServedMessages, ErrorsAreInItsWords) {
  const auto refused = [&](Json more, const std::string& says) {
    Json body = asking("Hello");
    body.update(more);
    const Answer answer = send(body);
    EXPECT_EQ(answer.status, 400) << answer.body;
    const Json json = answer.json();
    EXPECT_EQ(json["type"], "error");
    EXPECT_EQ(json["error"]["type"], "invalid_request_error");
    const auto message = json["error"]["message"].get<std::string>();
    EXPECT_NE(message.find(says), std::string::npos) << answer.body;
    const std::size_t field = message.find(": ") + 2;
    EXPECT_FALSE(message.substr(field).starts_with(message.substr(0, field)))
        << "the field is named twice: " << message;
  };
  const auto one = [](Json message) { return Json{{"messages", Json::array({std::move(message)})}}; };
  refused({{"messages", "no"}}, "messages");
  refused({{"messages", Json::array()}}, "messages");
  refused(one({{"role", "robot"}, {"content", "a"}}), "messages[0].role");
  refused(one({{"role", "user"}, {"content", 7}}), "messages[0].content");
  refused(one({{"role", "user"}, {"content", {{{"type", "image"}}}}}), "messages[0].content[0].type");
  refused(one({{"role", "user"}, {"content", {{{"type", "text"}}}}}), "messages[0].content[0].text");
  refused({{"temperature", -5}}, "temperature");
  refused({{"max_tokens", -7}}, "max_tokens");
  refused({{"system", {{{"type", "image"}}}}}, "system[0].type");
  refused({{"tools", {{{"type", "web_search_20250305"}, {"name", "web_search"}}}}}, "tools[0].type");
  refused({{"tools", {{{"description", "x"}}}}}, "tools[0].name");
  refused({{"tool_choice", {{"type", "any"}}}}, "tool_choice");
  refused({{"thinking", {{"type", "perhaps"}}}}, "thinking.type");
  refused({{"output_format", {{"type", "json_schema"}}}}, "output_format.schema");
  EXPECT_EQ(get(running_.port(), "/v1/messages").status, 405);
}

}  // namespace
}  // namespace lfm::test
