// Responses in OpenAI's later dialect, with a model that knows its answers.
#include "serve/openai/response.h"

#include <gtest/gtest.h>

#include "client.h"
#include "running.h"

namespace lfm::test {
namespace {

Json weather_tool() {
  return Json::parse(R"({"type": "function", "name": "get_weather", "description": "Weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}})");
}

Json time_tool() {
  return Json::parse(R"({"type": "function", "name": "get_time", "parameters": {"type": "object", "properties": {}}})");
}

Json asking(const Json& input) {
  return {{"model", "nano"}, {"input", input}, {"temperature", 0}};
}

class ServedResponses : public testing::Test {
 protected:
  Answer send(const Json& body) { return ask(running_.port(), "/v1/responses", body); }

  // Of a request that is answered.
  Json response(const Json& body) {
    const Answer answer = send(body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.json();
  }

  void refused(const Json& body, const std::string& param) {
    const Answer answer = send(body);
    EXPECT_EQ(answer.status, 400) << param << ": " << answer.body;
    EXPECT_EQ(answer.json()["error"]["param"], param) << answer.body;
  }

  Running running_;
};

TEST_F(ServedResponses, Whole) {
  const Json json = response(asking("What is 17 + 25?"));
  EXPECT_EQ(json["object"], "response");
  EXPECT_TRUE(json["id"].get<std::string>().starts_with("resp_"));
  EXPECT_EQ(json["status"], "completed");
  EXPECT_EQ(json["error"], nullptr);
  EXPECT_EQ(json["incomplete_details"], nullptr);
  EXPECT_EQ(json["store"], false);
  EXPECT_EQ(json["model"], "nano");
  ASSERT_EQ(json["output"].size(), 1u);
  const Json& item = json["output"][0];
  EXPECT_EQ(item["type"], "message");
  EXPECT_EQ(item["role"], "assistant");
  EXPECT_EQ(item["status"], "completed");
  EXPECT_EQ(item["content"][0], (Json{{"type", "output_text"},
                                      {"text", "17 + 25 = 42."},
                                      {"annotations", Json::array()},
                                      {"logprobs", Json::array()}}));
  const Json& usage = json["usage"];
  EXPECT_EQ(usage["total_tokens"], usage["input_tokens"].get<int>() + usage["output_tokens"].get<int>());
  EXPECT_EQ(usage["input_tokens"],
            ask(running_.port(), "/v1/responses/input_tokens", asking("What is 17 + 25?")).json()["input_tokens"]);
}

TEST_F(ServedResponses, AStreamTellsEachPartInItsOrder) {
  Json body = asking("Tell me a story.");
  const Json whole = response(body);
  body["stream"] = true;
  const Answer answer = send(body);
  EXPECT_EQ(answer.header("Content-Type"), "text/event-stream");
  EXPECT_NE(answer.body.find("event: response.created\ndata: "), std::string::npos);
  std::vector<std::string> types;
  std::string text;
  Json last;
  for (const Json& event : answer.events()) {
    ASSERT_TRUE(event.is_object()) << "no [DONE]";
    EXPECT_EQ(event["sequence_number"], types.size());
    types.push_back(event["type"]);
    last = event;
    if (types.back() == "response.output_text.delta") text += event["delta"].get<std::string>();
  }
  std::vector<std::string> kinds;
  for (const std::string& type : types)
    if (kinds.empty() || kinds.back() != type) kinds.push_back(type);
  EXPECT_EQ(kinds, (std::vector<std::string>{"response.created", "response.in_progress", "response.output_item.added",
                                             "response.content_part.added", "response.output_text.delta",
                                             "response.output_text.done", "response.content_part.done",
                                             "response.output_item.done", "response.completed"}));
  EXPECT_EQ(text, whole["output"][0]["content"][0]["text"]);
  EXPECT_EQ(last["response"]["output"][0]["content"], whole["output"][0]["content"]);
  EXPECT_EQ(last["response"]["usage"]["output_tokens"], whole["usage"]["output_tokens"]);
}

TEST_F(ServedResponses, WhatIsCutIsIncomplete) {
  Json body = asking("Tell me a story.");
  body["max_output_tokens"] = 3;
  Json json = response(body);
  EXPECT_EQ(json["status"], "incomplete");
  EXPECT_EQ(json["incomplete_details"]["reason"], "max_output_tokens");
  EXPECT_EQ(json["output"][0]["status"], "incomplete");
  EXPECT_EQ(json["usage"]["output_tokens"], 3);
  body["stream"] = true;
  EXPECT_EQ(send(body).events().back()["type"], "response.incomplete");
}

TEST_F(ServedResponses, ToolsAreCalledInALoop) {
  for (const bool stream : {false, true}) {
    Json input = {{{"role", "user"}, {"content", "What is the weather in Rome?"}}};
    Json body = asking(input);
    body["tools"] = {weather_tool()};
    body["stream"] = stream;
    const Json json = stream ? send(body).events().back()["response"] : response(body);
    ASSERT_EQ(json["output"].size(), 1u) << json;
    const Json call = json["output"][0];
    EXPECT_EQ(call["type"], "function_call");
    EXPECT_EQ(call["name"], "get_weather");
    EXPECT_EQ(Json::parse(call["arguments"].get<std::string>()), (Json{{"city", "Rome"}}));

    input.push_back(call);
    input.push_back({{"type", "function_call_output"},
                     {"call_id", call["call_id"]},
                     {"output", R"({"sky": "sunny", "degrees": 21})"}});
    body["input"] = input;
    body["stream"] = false;
    const Json said = response(body);
    EXPECT_EQ(said["output"][0]["content"][0]["text"], "It is sunny in Rome, 21 degrees.");
    EXPECT_GT(said["usage"]["input_tokens_details"]["cached_tokens"], 30);
  }
}

TEST_F(ServedResponses, AStreamedCallComesInParts) {
  Json body = asking("What is the weather in Rome?");
  body["tools"] = {weather_tool()};
  body["stream"] = true;
  std::string arguments, done, item;
  for (const Json& event : send(body).events()) {
    if (event["type"] == "response.output_item.added") item = event["item"]["id"];
    if (event["type"] == "response.function_call_arguments.delta") {
      arguments += event["delta"].get<std::string>();
      EXPECT_EQ(event["item_id"], item);
    }
    if (event["type"] == "response.function_call_arguments.done") done = event["arguments"];
  }
  EXPECT_EQ(Json::parse(arguments), (Json{{"city", "Rome"}}));
  EXPECT_EQ(arguments, done);
}

TEST_F(ServedResponses, TheChoiceOfToolsIsObeyed) {
  Json body = asking("Hello!");
  body["tools"] = {weather_tool(), time_tool()};
  body["temperature"] = 2;
  const Json named = {{"type", "function"}, {"name", "get_time"}};
  const Json choices[] = {named, Json{{"type", "allowed_tools"}, {"mode", "required"}, {"tools", {named}}}};
  body["parallel_tool_calls"] = false;
  for (const Json& choice : choices) {
    for (int seed = 0; seed < 5; ++seed) {
      body["tool_choice"] = choice;
      body["seed"] = seed;
      const Json json = response(body);
      ASSERT_EQ(json["output"].size(), 1u) << json;
      EXPECT_EQ(json["output"][0]["name"], "get_time");
      EXPECT_EQ(json["tool_choice"], choice);
    }
  }
  body["tool_choice"] = {{"type", "allowed_tools"}, {"mode", "auto"}, {"tools", {{{"name", "nothing"}}}}};
  refused(body, "tool_choice");
}

// As Codex has them.
TEST_F(ServedResponses, FunctionsInNamespaces) {
  Json input = {{{"role", "user"}, {"content", "Hello!"}}};
  Json body = asking(input);
  body["tools"] = {Json{{"type", "namespace"}, {"name", "clock"}, {"tools", {time_tool()}}},
                   Json{{"type", "web_search"}, {"external_web_access", false}}};
  body["tool_choice"] = "required";
  body["parallel_tool_calls"] = false;
  const Json call = response(body)["output"][0];
  EXPECT_EQ(call["name"], "get_time");
  EXPECT_EQ(call["namespace"], "clock");
  const auto read = serve::read_input(serve::Fields(Json{{"input", {call}}}), 10);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->front().tool_calls.front().name, "clock.get_time");
  body["tools"] = {Json{{"type", "namespace"}, {"name", "clock"}}};
  refused(body, "tools");
}

TEST_F(ServedResponses, SchemasAreObeyed) {
  Json body = asking("Ada is 36. Give me JSON.");
  body["text"] = {{"format", Json::parse(R"({"type": "json_schema", "name": "x", "strict": true,
    "schema": {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3, "maximum": 6}}, "required": ["n"]}})")}};
  body["temperature"] = 2;
  for (int seed = 0; seed < 5; ++seed) {
    body["seed"] = seed;
    const Json value = Json::parse(response(body)["output"][0]["content"][0]["text"].get<std::string>());
    ASSERT_EQ(value.size(), 1u);
    EXPECT_GE(value["n"], 3);
    EXPECT_LE(value["n"], 6);
  }
  body["text"]["format"].erase("schema");
  refused(body, "text.format.schema");
  body["text"]["format"] = {{"type", "xml"}};
  refused(body, "text.format.type");
}

// A call while the model would rather call, and an answer of the schema once it has what it wanted.
TEST_F(ServedResponses, ToolsAndASchemaTogether) {
  Json input = {{{"role", "user"}, {"content", "What is the weather in Rome?"}}};
  Json body = asking(input);
  body["tools"] = {weather_tool()};
  body["text"] = {{"format", Json::parse(R"({"type": "json_schema", "name": "x", "schema": {"type": "object",
    "properties": {"degrees": {"type": "integer", "maximum": 50}}, "required": ["degrees"], "additionalProperties": false}})")}};
  const Json call = response(body)["output"][0];
  ASSERT_EQ(call["type"], "function_call") << call;
  EXPECT_EQ(Json::parse(call["arguments"].get<std::string>()), (Json{{"city", "Rome"}}));
  input.push_back(call);
  input.push_back({{"type", "function_call_output"},
                   {"call_id", call["call_id"]},
                   {"output", R"({"sky": "sunny", "degrees": 21})"}});
  body["input"] = input;
  const Json output = response(body)["output"];
  ASSERT_EQ(output.size(), 1u);
  EXPECT_TRUE(Json::parse(output[0]["content"][0]["text"].get<std::string>())["degrees"].is_number_integer()) << output;
}

TEST_F(ServedResponses, ItemsAreTheMessagesOfAChat) {
  const Json items = Json::parse(R"([
    {"type": "message", "role": "developer", "content": "Be kind."},
    {"role": "user", "content": [{"type": "input_text", "text": "My name is "}, {"type": "input_text", "text": "Ada."}]},
    {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "A name."}]},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Hello Ada."}]},
    {"role": "user", "content": "Weather and time?"},
    {"type": "function_call", "call_id": "a", "name": "get_weather", "arguments": "{\"city\": \"Rome\"}"},
    {"type": "function_call", "call_id": "b", "name": "get_time", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "a", "output": "21"},
    {"type": "function_call_output", "call_id": "b", "output": [{"type": "input_text", "text": "12:00"}]},
    {"role": "assistant", "content": "Warm."},
    {"role": "user", "content": "Thanks."}])");
  const Json messages = Json::parse(R"([
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "My name is Ada."},
    {"role": "assistant", "content": "Hello Ada.", "reasoning_content": "A name."},
    {"role": "user", "content": "Weather and time?"},
    {"role": "assistant", "content": null, "tool_calls": [
      {"id": "a", "type": "function", "function": {"name": "get_weather", "arguments": "{\"city\": \"Rome\"}"}},
      {"id": "b", "type": "function", "function": {"name": "get_time", "arguments": "{}"}}]},
    {"role": "tool", "tool_call_id": "a", "content": "21"},
    {"role": "tool", "tool_call_id": "b", "content": "12:00"},
    {"role": "assistant", "content": "Warm."},
    {"role": "user", "content": "Thanks."}])");
  const Json as_chat =
      ask(running_.port(), "/v1/chat/completions", Json{{"messages", messages}, {"max_tokens", 4}}).json();
  Json body = asking(items);
  body["max_output_tokens"] = 16;
  const Json as_response = response(body);
  EXPECT_EQ(as_response["usage"]["input_tokens"], as_chat["usage"]["prompt_tokens"]);
  EXPECT_GE(as_response["usage"]["input_tokens_details"]["cached_tokens"].get<int>() + 1,
            as_response["usage"]["input_tokens"])
      << "the very tokens";
}

// What is written of an answer, whoever makes it.
class Heard final : public serve::Reply {
 public:
  bool try_send(serve::Response response) override {
    if (streams) return false;
    body = std::move(response.body);
    return true;
  }
  void open(serve::StreamHead) override {}
  bool write(std::string_view bytes) override {
    streams = true;
    body += bytes;
    return true;
  }
  void close() override { closed = true; }
  void abandon() override {}
  std::stop_token gone() const noexcept override { return {}; }

  std::string body;
  bool streams = false, closed = false;
};

TEST_F(ServedResponses, ThinkingTextAndCallsAreItems) {
  const serve::Service& service = running_.service();
  Json body = asking("Hello");
  body["tools"] = {weather_tool()};
  Json whole;
  for (const bool stream : {false, true}) {
    body["stream"] = stream;
    const auto asked = serve::read_response(body, service);
    ASSERT_TRUE(asked.ok());
    const auto heard = std::make_shared<Heard>();
    const auto writer = serve::response_writer(*asked, service.model(), heard);
    writer->begin();
    for (const char* const thought : {"Let me", " see."})
      EXPECT_TRUE(writer->piece(0, {.text = thought, .kind = PieceKind::kReasoning}));
    EXPECT_TRUE(writer->piece(0, {.text = "Well."}));
    EXPECT_TRUE(writer->piece(0, {.text = "get_weather(city='Rome')",
                                  .kind = PieceKind::kToolCall,
                                  .name = "get_weather",
                                  .arguments = R"({"city": "Rome"})"}));
    writer->finish({.choices = {Finish{.tokens = 9, .reasoning_tokens = 4, .text_bytes = 5, .tool_calls = 1}},
                    .prompt_tokens = 7});
    EXPECT_EQ(heard->closed, stream);
    Json json = Json::parse(heard->body, nullptr, false);
    if (stream) {
      Answer answer;
      answer.body = heard->body;
      const auto events = answer.events();
      std::string thoughts;
      for (const Json& event : events) {
        if (event["type"] == "response.reasoning_text.delta") thoughts += event["delta"].get<std::string>();
        if (event.contains("item_id")) {
          EXPECT_EQ(event["item_id"],
                    events.back()["response"]["output"][event["output_index"].get<std::size_t>()]["id"]);
        }
      }
      EXPECT_EQ(thoughts, "Let me see.");
      json = events.back()["response"];
    }
    ASSERT_EQ(json["output"].size(), 3u) << json;
    EXPECT_EQ(json["output"][0]["type"], "reasoning");
    EXPECT_EQ(json["output"][0]["content"], Json::array({{{"type", "reasoning_text"}, {"text", "Let me see."}}}));
    EXPECT_EQ(json["output"][1]["content"][0]["text"], "Well.");
    EXPECT_EQ(json["output"][2]["type"], "function_call");
    EXPECT_EQ(json["usage"]["output_tokens_details"]["reasoning_tokens"], 4);
    // Sent back, they are one message again.
    const auto messages = serve::read_input(serve::Fields(Json{{"input", json["output"]}}), 10);
    ASSERT_TRUE(messages.ok());
    ASSERT_EQ(messages->size(), 1u);
    EXPECT_EQ(messages->front().reasoning, "Let me see.");
    EXPECT_EQ(messages->front().content, "Well.");
    EXPECT_EQ(messages->front().tool_calls, (std::vector<ToolCall>{{"get_weather", R"({"city": "Rome"})"}}));
  }
}

TEST_F(ServedResponses, AFailureIsOneOfItsOwnUnlessAStreamHasBegun) {
  const serve::Service& service = running_.service();
  Json body = asking("Hello");
  body["stream"] = true;
  const auto asked = serve::read_response(body, service);
  for (const bool begun : {false, true}) {
    const auto heard = std::make_shared<Heard>();
    const auto writer = serve::response_writer(*asked, service.model(), heard);
    writer->begin();
    if (begun) {
      EXPECT_TRUE(writer->piece(0, {.text = "Well."}));
    }
    writer->fail({503, "there isn't enough memory for this request"});
    if (!begun) {
      EXPECT_EQ(Json::parse(heard->body)["error"]["type"], "unavailable_error");
      continue;
    }
    Answer answer;
    answer.body = heard->body;
    EXPECT_EQ(answer.events().back()["type"], "response.failed");
    EXPECT_EQ(answer.events().back()["response"]["status"], "failed");
  }
}

TEST_F(ServedResponses, ProbabilitiesOfTokens) {
  Json body = asking("What is 17 + 25?");
  body["include"] = {"message.output_text.logprobs"};
  body["top_logprobs"] = 2;
  std::string text;
  const Json json = response(body);
  for (const Json& token : json["output"][0]["content"][0]["logprobs"]) {
    text += token["token"].get<std::string>();
    EXPECT_EQ(token["top_logprobs"].size(), 2u);
  }
  EXPECT_EQ(text, "17 + 25 = 42.");
}

TEST_F(ServedResponses, WhatIsWrongIsTold) {
  refused(Json{{"model", "nano"}}, "input");
  refused(asking(Json::array()), "input");
  refused(asking(7), "input");
  refused(asking({7}), "input[0]");
  refused(asking({{{"role", "king"}, {"content", "a"}}}), "input[0].role");
  refused(asking({{{"type", "item_reference"}, {"id", "msg_1"}}}), "input[0].type");
  EXPECT_EQ(send(asking({{{"type", "item_reference"}, {"id", "msg_1"}}})).json()["error"]["message"],
            "input[0].type: lfm keeps no items that could be referred to; send the item itself");
  refused(asking({{{"type", "function_call"}, {"name", "f"}, {"arguments", "[1"}}}), "input[0].arguments");
  refused(asking({{{"role", "user"}, {"content", {{{"type", "input_image"}, {"image_url", "data:"}}}}}}),
          "input[0].content[0].type");
  const std::pair<const char*, Json> fields[] = {{"previous_response_id", "resp_1"},
                                                 {"conversation", "conv_1"},
                                                 {"prompt", {{"id", "p"}}},
                                                 {"background", true},
                                                 {"temperature", -5},
                                                 {"max_output_tokens", 0},
                                                 {"top_logprobs", 21},
                                                 {"text", "json"},
                                                 {"instructions", 7},
                                                 {"parallel_tool_calls", "no"},
                                                 {"stream", "yes"},
                                                 {"tool_choice", "required"}};
  for (const auto& [name, value] : fields) {
    Json body = asking("Hello");
    body[name] = value;
    refused(body, name);
  }
  Json body = asking("Hello");
  body["tools"] = {{{"type", "file_search"}}};
  refused(body, "tools[0].type");
  body = asking("Hello");
  body["reasoning"] = {{"effort", "heroic"}};
  refused(body, "reasoning.effort");
  EXPECT_EQ(get(running_.port(), "/v1/responses/resp_1").status, 404);
}

}  // namespace
}  // namespace lfm::test
