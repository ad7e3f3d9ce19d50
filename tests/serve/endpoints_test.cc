#include <gtest/gtest.h>

#include "client.h"
#include "running.h"

namespace lfm::test {
namespace {

TEST(Endpoints, ModelsWithAndWithoutVersion) {
  Running running;
  for (const char* const path : {"/v1/models", "/models"}) {
    const Json json = get(running.port(), path).json();
    EXPECT_EQ(json["object"], "list");
    ASSERT_EQ(json["data"].size(), 1u);
    EXPECT_EQ(json["data"][0]["id"], "nano");
    EXPECT_GT(json["data"][0]["meta"]["n_ctx"], 0);
  }
  EXPECT_EQ(get(running.port(), "/v1/models/nano").json()["id"], "nano");
  EXPECT_EQ(get(running.port(), "/v1/models/n%61no").json()["id"], "nano");
  const Answer none = get(running.port(), "/v1/models/gpt-9");
  EXPECT_EQ(none.status, 404);
  EXPECT_EQ(none.json()["error"]["code"], "model_not_found");
}

TEST(Endpoints, AStrictServerHasOneName) {
  ServerSetup setup;
  setup.service.strict_model = true;
  Running running(std::move(setup));
  const Answer refused = ask(running.port(), "/v1/chat/completions",
                             Json{{"model", "gpt-9"}, {"messages", {{{"role", "user"}, {"content", "Hi"}}}}});
  EXPECT_EQ(refused.status, 404);
  EXPECT_EQ(refused.json()["error"]["code"], "model_not_found");
  EXPECT_EQ(refused.json()["error"]["param"], "model");
}

TEST(Endpoints, TokensThereAndBack) {
  Running running;
  const std::string text = "Grüße, <|im_end|> and 17 + 25 = 42.\n";
  const Json ids = ask(running.port(), "/tokenize", Json{{"content", text}}).json()["tokens"];
  ASSERT_GT(ids.size(), 5u);
  EXPECT_EQ(ask(running.port(), "/detokenize", Json{{"tokens", ids}}).json()["content"], text);
  const Json pieces =
      ask(running.port(), "/tokenize", Json{{"content", "Hello"}, {"with_pieces", true}}).json()["tokens"];
  std::string joined;
  for (const Json& piece : pieces) joined += piece["piece"].get<std::string>();
  EXPECT_EQ(joined, "Hello");
  const Json special =
      ask(running.port(), "/tokenize", Json{{"content", "<|im_end|>"}, {"parse_special", true}}).json()["tokens"];
  EXPECT_EQ(special.size(), 1u);
  const Answer wrong = ask(running.port(), "/detokenize", Json{{"tokens", {1, 99999}}});
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.json()["error"]["param"], "tokens[1]");
}

TEST(Endpoints, ThePromptAsItIsRead) {
  Running running;
  const Json json =
      ask(running.port(), "/apply-template", Json{{"messages", {{{"role", "user"}, {"content", "Hi"}}}}}).json();
  const std::string prompt = json["prompt"];
  EXPECT_NE(prompt.find("<|im_start|>user\nHi<|im_end|>"), std::string::npos) << prompt;
  EXPECT_TRUE(prompt.ends_with("<|im_start|>assistant\n")) << prompt;
}

TEST(Endpoints, TextsThatGoOn) {
  Running running;
  Json body = {{"prompt", "Once upon a time"}, {"temperature", 0}, {"max_tokens", 12}};
  const Json whole = ask(running.port(), "/v1/completions", body).json();
  EXPECT_EQ(whole["object"], "text_completion");
  const std::string text = whole["choices"][0]["text"];
  EXPECT_FALSE(text.empty());
  EXPECT_EQ(whole["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(whole["usage"]["completion_tokens"], 12);

  body["stream"] = true;
  std::string streamed;
  for (const Json& event : ask(running.port(), "/v1/completions", body).events()) {
    if (event.is_object()) streamed += event["choices"][0]["text"].get<std::string>();
  }
  EXPECT_EQ(streamed, text);

  body["stream"] = false;
  body["echo"] = true;
  body["logprobs"] = 2;
  const Json echoed = ask(running.port(), "/v1/completions", body).json()["choices"][0];
  EXPECT_EQ(echoed["text"], "Once upon a time" + text);
  const Json& logprobs = echoed["logprobs"];
  ASSERT_EQ(logprobs["tokens"].size(), 12u);
  EXPECT_EQ(logprobs["text_offset"][0], 16);
  EXPECT_EQ(logprobs["top_logprobs"][0].size(), 2u);

  body = {
      {"prompt",
       ask(running.port(), "/tokenize", Json{{"content", "Once upon a time"}, {"add_special", true}}).json()["tokens"]},
      {"temperature", 0},
      {"max_tokens", 12}};
  EXPECT_EQ(ask(running.port(), "/v1/completions", body).json()["choices"][0]["text"], text) << "tokens as prompt";
  for (const Json& wrong : {Json(), Json(""), Json(7), Json{"a", "b"}, Json{1, -1}, Json{1, "a"}}) {
    body["prompt"] = wrong;
    const Answer answer = ask(running.port(), "/v1/completions", body);
    if (wrong == "" && answer.status == 200) continue;  // the model's first token alone
    EXPECT_EQ(answer.status, 400) << wrong;
    EXPECT_TRUE(answer.json()["error"]["param"].get<std::string>().starts_with("prompt")) << answer.body;
  }
}

TEST(Endpoints, Properties) {
  Running running;
  const Json json = get(running.port(), "/props").json();
  EXPECT_EQ(json["default_generation_settings"]["n_ctx"], 4096);
  EXPECT_EQ(json["total_slots"], 4);
  EXPECT_EQ(json["chat_template_caps"]["supports_tools"], true);
  EXPECT_EQ(json["modalities"]["vision"], false);
}

TEST(Endpoints, FiguresWhereTheyAreAskedFor) {
  {
    Running running;
    EXPECT_EQ(get(running.port(), "/metrics").status, 501);
    EXPECT_EQ(get(running.port(), "/slots").status, 501);
  }
  ServerSetup setup;
  setup.service.metrics = true;
  setup.service.show_slots = true;
  Running running(std::move(setup));
  const Answer answer = ask(running.port(), "/v1/chat/completions",
                            Json{{"messages", {{{"role", "user"}, {"content", "secret word"}}}}, {"max_tokens", 5}});
  ASSERT_EQ(answer.status, 200);
  ASSERT_TRUE(running.becomes_idle());
  const Answer metrics = get(running.port(), "/metrics");
  EXPECT_TRUE(metrics.header("Content-Type").starts_with("text/plain; version=0.0.4"));
  EXPECT_NE(metrics.body.find("\nlfm_answers_total 1\n"), std::string::npos) << metrics.body;
  EXPECT_NE(metrics.body.find("\nlfm_requests_deferred 0\n"), std::string::npos);
  EXPECT_EQ(metrics.body.find("\nlfm_cache_states 0\n"), std::string::npos);
  EXPECT_NE(metrics.body.find("lfm_http_responses_total{code=\"200\"} "), std::string::npos);
  EXPECT_EQ(metrics.body.find("code=\"500\""), std::string::npos);
  const Answer slots = get(running.port(), "/slots");
  ASSERT_EQ(slots.json().size(), 4u);
  EXPECT_EQ(slots.json()[0]["is_processing"], false);
  EXPECT_EQ((metrics.body + slots.body).find("secret"), std::string::npos);
}

TEST(Endpoints, WhatThereIsNot) {
  Running running;
  for (const char* const path : {"/v1/embeddings", "/rerank", "/infill", "/v1/images/generations"}) {
    const Answer answer = post(running.port(), path, "{}");
    EXPECT_EQ(answer.status, 501) << path;
    EXPECT_EQ(answer.header("x-should-retry"), "false");
  }
}

TEST(Endpoints, ThePageAsksNobodyElse) {
  Running running;
  const Answer page = get(running.port(), "/");
  EXPECT_EQ(page.status, 200);
  EXPECT_TRUE(page.body.starts_with("<!doctype html>"));
  EXPECT_EQ(page.body.find("http://"), std::string::npos);
  EXPECT_EQ(page.body.find("https://"), std::string::npos);
  EXPECT_NE(page.header("Content-Security-Policy").find("default-src 'none'"), std::string::npos);
}

TEST(Endpoints, KeysAreAskedForWhereThereAreSome) {
  ServerSetup setup;
  setup.service.access.keys = {"secret"};
  setup.service.metrics = true;
  Running running(std::move(setup));
  for (const char* const path : {"/v1/models", "/props", "/metrics", "/slots"}) {
    EXPECT_EQ(get(running.port(), path).status, 401) << path;
    EXPECT_NE(get(running.port(), path, "Authorization: Bearer secret\r\n").status, 401) << path;
  }
  EXPECT_EQ(get(running.port(), "/health").status, 200);
  EXPECT_EQ(get(running.port(), "/").status, 200);
  EXPECT_EQ(get(running.port(), "/health", "Host: x\r\n").status, 400) << "two names";
}

TEST(Endpoints, PagesThatMayAskCan) {
  ServerSetup setup;
  setup.service.access.origins = {"https://good.example"};
  Running running(std::move(setup));
  Client client(running.port());
  client.send(
      "OPTIONS /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nOrigin: https://good.example\r\n"
      "Access-Control-Request-Headers: content-type\r\n\r\n");
  const Answer asked = client.read();
  EXPECT_EQ(asked.status, 204);
  EXPECT_EQ(asked.header("Access-Control-Allow-Origin"), "https://good.example");
  EXPECT_EQ(asked.header("Access-Control-Allow-Headers"), "content-type");
  const Answer answer = get(running.port(), "/v1/models", "Origin: https://good.example\r\n");
  EXPECT_EQ(answer.header("Access-Control-Allow-Origin"), "https://good.example");
  const Answer refused = get(running.port(), "/v1/models", "Origin: https://evil.example\r\n");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(refused.header("Access-Control-Allow-Origin"), "");
}

}  // namespace
}  // namespace lfm::test
