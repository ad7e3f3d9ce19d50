// Requests that no honest client sends, or that other servers answered wrongly. None may bring the server down, and
// what is refused is told with the field to blame.
#include <gtest/gtest.h>

#include <tuple>

#include "client.h"
#include "running.h"

namespace lfm::test {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

class Probes : public testing::Test {
 protected:
  // What the rest of a chat's request is, as JSON's text: `"temperature": -5`.
  Answer chat(const std::string& rest) {
    return post(running_.port(), "/v1/chat/completions",
                R"({"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 4, )" + rest + "}");
  }

  void refused(const Answer& answer, const std::string& param, int status = 400) {
    EXPECT_EQ(answer.status, status) << param << ": " << answer.body.substr(0, 300);
    const Json error = answer.json()["error"];
    ASSERT_TRUE(error.is_object()) << answer.body.substr(0, 300);
    EXPECT_TRUE(error["message"].is_string());
    EXPECT_TRUE(error["param"].is_string() && error["param"].get<std::string>().starts_with(param)) << error;
  }

  void TearDown() override { EXPECT_EQ(get(running_.port(), "/health").status, 200); }

  Running running_;
};

TEST_F(Probes, NumbersOutOfRangeOrOfAnotherType) {
  const std::pair<const char*, const char*> all[] = {
      {R"("temperature": -5)", "temperature"},
      {R"("temperature": "hot")", "temperature"},
      {R"("top_p": 7)", "top_p"},
      {R"("top_p": -0.1)", "top_p"},
      {R"("min_p": 2)", "min_p"},
      {R"("top_k": 1.5)", "top_k"},
      {R"("presence_penalty": 1e6)", "presence_penalty"},
      {R"("frequency_penalty": [])", "frequency_penalty"},
      {R"("repeat_penalty": 0)", "repeat_penalty"},
      {R"("seed": "x")", "seed"},
      {R"("n": -1)", "n"},
      {R"("n": 9)", "n"},
      {R"("n": 0)", "n"},
      {R"("max_completion_tokens": -7)", "max_completion_tokens"},
      {R"("max_completion_tokens": 0)", "max_completion_tokens"},
      {R"("max_completion_tokens": 1e300)", "max_completion_tokens"},
      {R"("stream": "yes")", "stream"},
      {R"("stream_options": 1)", "stream_options"},
      {R"("stream_options": {"include_usage": 1})", "stream_options.include_usage"},
      {R"("logprobs": 3)", "logprobs"},
      {R"("top_logprobs": 3)", "top_logprobs"},
      {R"("logprobs": true, "top_logprobs": 21)", "top_logprobs"},
      {R"("stop": 7)", "stop"},
      {R"("stop": [1])", "stop"},
      {R"("logit_bias": {"x": 1})", "logit_bias"},
      {R"("logit_bias": {"99999": 1})", "logit_bias"},
      {R"("logit_bias": {"1": 1000})", "logit_bias"},
      {R"("logit_bias": {"1": "a"})", "logit_bias"},
      {R"("reasoning_effort": "heroic")", "reasoning_effort"},
      {R"("tools": {})", "tools"},
      {R"("tools": [1])", "tools[0]"},
      {R"("tools": [{"type": "function"}])", "tools[0].name"},
      {R"("tools": [{"type": "web_search"}])", "tools[0].type"},
      {R"("tools": [{"type": "function", "function": {"name": "f", "parameters": 7}}])",
       "tools[0].function.parameters"},
      {R"("tool_choice": "required")", "tool_choice"},
      {R"("tool_choice": "sometimes")", "tool_choice"},
      {R"("tool_choice": {"type": "function", "function": {"name": "f"}})", "tool_choice"},
      {R"("tools": [{"name": "f", "parameters": {"type": "object"}}], "tool_choice": {"function": {"name": "g"}})",
       "tool_choice"},
      {R"("response_format": "json")", "response_format"},
      {R"("response_format": {})", "response_format.type"},
      {R"("response_format": {"type": "xml"})", "response_format.type"},
      {R"("response_format": {"type": "json_schema"})", "response_format.json_schema.schema"},
      {R"("functions": [])", "functions"},
      {R"("model": 7)", "model"},
      {R"("grammar": "root ::= \"a\"")", "grammar"},
  };
  for (const auto& [rest, param] : all) refused(chat(rest), param);
}

// What the dialects' own tests don't have.
TEST_F(Probes, EveryEndpointNamesTheField) {
  const std::tuple<const char*, const char*, const char*> all[] = {
      {"/v1/responses", R"("input": "a", "top_p": 7)", "top_p"},
      {"/v1/completions", R"("prompt": "a", "n": -1)", "n"},
      {"/v1/completions", R"("prompt": [-1])", "prompt[0]"},
      {"/api/chat", R"("messages": [{"role": "user", "content": "a"}], "options": {"temperature": -5})",
       "options.temperature"},
      {"/api/chat", R"("messages": [{"role": "user", "content": "a", "images": ["x"]}])", "messages[0].images"},
      {"/api/generate", R"("prompt": 7)", "prompt"},
      {"/tokenize", R"("content": 7)", "content"},
      {"/detokenize", R"("tokens": ["a"])", "tokens[0]"},
      {"/apply-template", R"("messages": [])", "messages"}};
  for (const auto& [path, fields, named] : all) {
    const Answer answer = post(running_.port(), path, "{" + std::string(fields) + "}");
    EXPECT_EQ(answer.status, 400) << path << " " << fields << answer.body;
    EXPECT_NE(answer.body.find(named), std::string::npos) << path << " " << answer.body;
  }
}

TEST_F(Probes, MessagesThatAreNone) {
  const auto messages = [&](const std::string& list) {
    return post(running_.port(), "/v1/chat/completions", R"({"max_tokens": 4, "messages": )" + list + "}");
  };
  refused(messages(R"("no")"), "messages");
  refused(messages("[]"), "messages");
  refused(messages("null"), "messages");
  refused(messages("[7]"), "messages[0]");
  refused(messages(R"([{"role": "user", "content": "a"}, {"role": "king", "content": "a"}])"), "messages[1].role");
  refused(messages(R"([{"role": "user", "content": 7}])"), "messages[0].content");
  refused(messages(R"([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}])"),
          "messages[0].content");
  refused(messages(R"([{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "[1"}}]}])"),
          "messages[0].tool_calls");
  EXPECT_EQ(messages(R"([{"role": "developer", "content": "Be short."}, {"role": "user", "content": "a"}])").status,
            200);
  EXPECT_EQ(messages(R"([{"role": "user", "content": null}])").status, 200);
  refused(post(running_.port(), "/v1/chat/completions", "{}"), "messages");
}

TEST_F(Probes, BodiesThatAreNoJson) {
  const auto body = [&](const std::string& bytes) { return post(running_.port(), "/v1/chat/completions", bytes); };
  for (const std::string& bytes :
       {std::string(), std::string("{"), std::string("[]"), std::string("7"), std::string("\0", 1),
        std::string("{\"messages\": \"\xff\xfe\"}"), std::string(R"({"a": "\ud800"})"),
        std::string(R"({"a": 1, "a": 2})"), std::string(R"({"a": 1e999})"), repeated("[", 20000),
        repeated(R"({"a":)", 20000), "{\"a\": " + repeated("[", 100) + repeated("]", 100) + "}"})
    refused(body(bytes), "body");
  std::string members = "{";
  for (int i = 0; i < 5000; ++i) members += "\"" + std::to_string(i) + "\": 0,";
  refused(body(members + "\"a\": 0}"), "body");
}

TEST_F(Probes, MoreThanAnybodyNeeds) {
  const std::string stop = R"("a",)";
  refused(chat("\"stop\": [" + repeated(stop, 5000) + "\"a\"]"), "stop");
  refused(chat("\"stop\": \"" + std::string(10000, 'x') + "\""), "stop");
  refused(chat("\"tools\": [" + repeated(R"({"name": "f"},)", 1000) + R"({"name": "f"}])"), "tools");
  std::string biases;
  for (int i = 0; i < 1010; ++i) biases += "\"" + std::to_string(i) + "\": 1,";
  refused(chat("\"logit_bias\": {" + biases.substr(0, biases.size() - 1) + "}"), "logit_bias");
  refused(post(running_.port(), "/v1/chat/completions",
               "{\"messages\": [" + repeated(R"({"role": "user", "content": "a"},)", 5000) +
                   R"({"role": "user", "content": "a"}]})"),
          "messages");
}

TEST_F(Probes, GrammarsThatKilledOthers) {
  refused(chat("\"grammar\": \"root ::= " + repeated("(", 60000) + "\""), "grammar");
  const std::string nested = repeated(R"({"items": )", 50) + "{}" + repeated("}", 50);
  EXPECT_LT(chat(R"("response_format": {"type": "json_schema", "json_schema": {"schema": )" + nested + "}}").status,
            500);
  refused(chat(R"("response_format": {"type": "json_schema", "json_schema": {"schema": )" +
               repeated(R"({"items": )", 3000) + "{}" + repeated("}", 3000) + "}}"),
          "body");
  EXPECT_LT(
      chat(R"("json_schema": {"type": "string", "pattern": "(a{1,1000}){1,1000}(b{1,1000}){1,1000}(c|d)*"})").status,
      500);
}

TEST_F(Probes, SchemasAreHeldOrRefused) {
  const auto schema = [&](const std::string& text) {
    return post(
        running_.port(), "/v1/chat/completions",
        R"({"messages": [{"role": "user", "content": "Hello"}], "temperature": 2, "seed": 3, "max_tokens": 200, )"
        R"("response_format": {"type": "json_schema", "json_schema": {"schema": )" +
            text + "}}}");
  };
  const auto value = [&](const std::string& text) {
    const Json choice = schema(text).json()["choices"][0];
    EXPECT_EQ(choice["finish_reason"], "stop") << text;
    return Json::parse(choice["message"]["content"].get<std::string>());
  };
  const int number = value(R"({"type": "integer", "minimum": 1, "maximum": 6})");
  EXPECT_GE(number, 1);
  EXPECT_LE(number, 6);
  EXPECT_NE(value(R"({"type": "string", "format": "email", "maxLength": 30})").get<std::string>().find('@'),
            std::string::npos);
  EXPECT_NE(value(R"({"enum": ["a", "b"], "not": {"const": "a"}})"), "a");
  EXPECT_EQ(value(R"({"type": "string", "pattern": "^a{3}$"})"), "aaa");
  refused(schema(R"({"type": "array", "$dynamicRef": "#a"})"), "response_format.json_schema.schema");
  refused(schema(R"({"type": "nonsense"})"), "response_format.json_schema.schema");
  refused(schema(R"({"$ref": "https://evil.example/schema"})"), "response_format.json_schema.schema");
  refused(schema("false"), "response_format.json_schema.schema");
}

TEST_F(Probes, PromptsThatAreTooLong) {
  const std::string text = repeated("one two three ", 3000);
  const Answer answer =
      ask(running_.port(), "/v1/chat/completions", Json{{"messages", {{{"role", "user"}, {"content", text}}}}});
  refused(answer, "messages");
  const Json error = answer.json()["error"];
  EXPECT_EQ(error["code"], "context_length_exceeded");
  EXPECT_EQ(error["type"], "exceed_context_size_error");
  EXPECT_GT(error["n_prompt_tokens"], error["n_ctx"]);
  EXPECT_NE(error["message"].get<std::string>().find("exceeds the available context size"), std::string::npos);
}

TEST_F(Probes, AddressesAndMethods) {
  EXPECT_EQ(get(running_.port(), "/v1/nothing").status, 404);
  EXPECT_EQ(get(running_.port(), "/v1/models/").status, 404);
  EXPECT_EQ(get(running_.port(), "/../../etc/passwd").status, 404);
  EXPECT_EQ(get(running_.port(), "//health").status, 404);
  const Answer method = get(running_.port(), "/v1/chat/completions");
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.header("Allow"), "POST");
  EXPECT_EQ(get(running_.port(), "/health?x=1").status, 200);
  EXPECT_EQ(get(running_.port(), "http://localhost/health").status, 200);
}

TEST_F(Probes, PagesAndNamesOfOthers) {
  Client client(running_.port());
  client.send("GET /v1/models HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  EXPECT_EQ(client.read().status, 403);
  const Answer page = get(running_.port(), "/v1/models", "Origin: https://evil.example\r\n");
  EXPECT_EQ(page.status, 403);
  EXPECT_EQ(page.header("Access-Control-Allow-Origin"), "");
  for (const char* const type :
       {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx"}) {
    Client form(running_.port());
    form.send("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + std::string(type) +
              "\r\nContent-Length: 2\r\n\r\n{}");
    EXPECT_EQ(form.read().status, 415) << type;
  }
  Client none(running_.port());
  none.send("POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_EQ(none.read().status, 415);
}

}  // namespace
}  // namespace lfm::test
