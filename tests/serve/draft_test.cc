// Drafts behind the server: answers are those of one without, and it is told what came of them.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "client.h"
#include "running.h"

namespace lfm::test {
namespace {

const Engine& drafting_engine() {
  static const Engine engine = [] {
    auto opened = Engine::open(LFM_NANO_FILE, {.threads = 2, .draft = LFM_NANO_DRAFT});
    if (!opened.ok()) throw std::runtime_error(opened.error().describe());
    return *std::move(opened);
  }();
  return engine;
}

ServerSetup drafting() {
  ServerSetup setup;
  setup.service.model.draft = Draft::kModel;
  setup.service.metrics = true;
  setup.engine = &drafting_engine();
  return setup;
}

// Conversations of several turns, sampled, held to a form, with calls, with several choices.
std::vector<Json> requests() {
  std::vector<Json> out;
  const auto add = [&](const char* words, Json more) {
    Json body = {
        {"messages", {{{"role", "system"}, {"content", "You answer."}}, {{"role", "user"}, {"content", words}}}},
        {"max_tokens", 60}};
    body.update(more);
    out.push_back(std::move(body));
  };
  add("Tell me a story of a horse and a squirrel.", {{"temperature", 0}});
  add("Tell me a story of a horse and a squirrel.", {{"temperature", 0.7}, {"seed", 5}, {"n", 3}});
  add("Tell me a story of a dog.", {{"temperature", 0.3}, {"seed", 6}, {"stop", {"dog."}}});
  add("Name three birds.",
      {{"temperature", 0.5},
       {"seed", 7},
       {"response_format",
        {{"type", "json_schema"},
         {"json_schema",
          {{"name", "birds"}, {"schema", {{"type", "array"}, {"items", {{"type", "string"}, {"maxLength", 8}}}}}}}}}});
  add("Say it.", {{"temperature", 0.5}, {"seed", 8}, {"logprobs", true}, {"top_logprobs", 2}});
  return out;
}

Json said(const Answer& answer) {
  Json json = answer.json();
  return {json["choices"], json["usage"]["completion_tokens"]};
}

TEST(ServedDrafts, ChangeNoAnswer) {
  Running plain, drafts(drafting());
  for (Json body : requests()) {
    const Answer without = ask(plain.port(), "/v1/chat/completions", body);
    ASSERT_EQ(without.status, 200) << without.body;
    const Answer with = ask(drafts.port(), "/v1/chat/completions", body);
    EXPECT_EQ(said(without), said(with));
    // The conversation goes on with what the pool has of it.
    Json& messages = body["messages"];
    messages.push_back(without.json()["choices"][0]["message"]);
    messages.push_back({{"role", "user"}, {"content", "Say that again."}});
    EXPECT_EQ(said(ask(plain.port(), "/v1/chat/completions", body)),
              said(ask(drafts.port(), "/v1/chat/completions", body)));
  }
}

TEST(ServedDrafts, ChangeNoAnswerSideBySide) {
  Running plain, drafts(drafting());
  const std::vector<Json> bodies = requests();
  std::vector<Json> answers(2 * bodies.size());
  std::vector<std::thread> clients;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    clients.emplace_back(
        [&, i] { answers[i] = said(ask(drafts.port(), "/v1/chat/completions", bodies[i % bodies.size()])); });
  }
  for (std::thread& client : clients) client.join();
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    const Json alone = said(ask(plain.port(), "/v1/chat/completions", bodies[i]));
    EXPECT_EQ(alone, answers[i]);
    EXPECT_EQ(alone, answers[bodies.size() + i]);
  }
}

TEST(ServedDrafts, AreTold) {
  Running running(drafting());
  // The same over and over is looked up.
  const auto the = drafting_engine().tokenizer().encode(" the", {});
  ASSERT_TRUE(the.ok());
  const Answer answer = ask(running.port(), "/v1/chat/completions",
                            Json{{"messages", {{{"role", "user"}, {"content", "x"}}}},
                                 {"max_tokens", 100},
                                 {"temperature", 0},
                                 {"logit_bias", {{std::to_string(the->back()), 100}}}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  const Json timings = answer.json()["timings"];
  EXPECT_GT(timings["draft_n"], 10);
  EXPECT_GT(timings["draft_n_accepted"], 10);
  ASSERT_TRUE(running.becomes_idle());
  const std::string metrics = get(running.port(), "/metrics").body;
  for (const char* const name : {"draft_tokens_total ", "draft_accepted_tokens_total ", "passes_total "}) {
    const std::size_t at = metrics.find(std::string("\nlfm_") + name);
    ASSERT_NE(at, std::string::npos) << metrics;
    EXPECT_NE(metrics[metrics.find(' ', at) + 1], '0') << name;
  }
  Running plain;
  const Answer without = ask(plain.port(), "/v1/chat/completions",
                             Json{{"messages", {{{"role", "user"}, {"content", "x"}}}}, {"max_tokens", 5}});
  EXPECT_FALSE(without.json()["timings"].contains("draft_n"));
}

}  // namespace
}  // namespace lfm::test
