// Many at once, and those that go away.
#include <gtest/gtest.h>

#include <random>
#include <thread>

#include "client.h"
#include "running.h"

namespace lfm::test {
namespace {

using std::chrono::milliseconds;

// Sanitizers take up to a minute for what otherwise takes a second.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kMostTokens = 300;
#else
constexpr int kMostTokens = 4000;
#endif

// Some thirty thousand tokens, unless somebody ends it.
std::string endless(bool stream, int choices = 8, int tokens = 4000) {
  return post_request("/v1/chat/completions", Json{{"messages", {{{"role", "user"}, {"content", "Tell me a story."}}}},
                                                   {"ignore_eos", true},
                                                   {"max_tokens", tokens},
                                                   {"n", choices},
                                                   {"stream", stream}}
                                                  .dump());
}

// Too long to be read in a moment.
std::string long_prompt() {
  std::string text;
  while (text.size() < 9000) text += "Once upon a time there was a horse called Rusty. ";
  return text;
}

TEST(Load, AClientThatGoesStopsItsWork) {
  for (const bool stream : {true, false}) {
    Running running;
    Client client(running.port());
    client.send(endless(stream));
    while (running.service().gauges().busy == 0) std::this_thread::sleep_for(milliseconds(1));
    client.close();
    EXPECT_TRUE(running.becomes_idle()) << stream;
    const std::size_t said = running.service().slots().states()[0].generated_tokens;
    std::this_thread::sleep_for(milliseconds(50));
    EXPECT_EQ(running.service().slots().states()[0].generated_tokens, said);
  }
}

TEST(Load, AClientThatGoesFromTheQueueIsForgotten) {
  ServerSetup setup;
  setup.service.slots = 1;
  setup.service.queue = 2;
  Running running(std::move(setup));
  Client works(running.port());
  works.send(endless(true));
  while (running.service().gauges().busy == 0) std::this_thread::sleep_for(milliseconds(1));
  {
    Client first(running.port()), second(running.port());
    first.send(endless(false));
    second.send(endless(false));
    while (running.service().gauges().queued < 2) std::this_thread::sleep_for(milliseconds(1));
    const Answer refused =
        ask(running.port(), "/v1/chat/completions", Json{{"messages", {{{"role", "user"}, {"content", "Hi"}}}}});
    EXPECT_EQ(refused.status, 429);
    EXPECT_EQ(refused.json()["error"]["code"], "queue_full");
    EXPECT_NE(refused.header("Retry-After"), "");
  }
  // Its place is free once both have gone.
  Client next(running.port());
  std::this_thread::sleep_for(milliseconds(100));
  next.send(post_request("/v1/chat/completions", R"({"messages":[{"role":"user","content":"Hi"}],"max_tokens":2})"));
  works.close();
  EXPECT_EQ(next.read().status, 200);
  EXPECT_TRUE(running.becomes_idle());
}

// Nothing is said of a stream before its first word, so that a proxy may still ask another server; but whoever waits
// for long is told that it goes on.
TEST(Load, AStreamThatWaitsBeginsWithItsFirstWordOrAHeartbeat) {
  ServerSetup setup;
  setup.service.slots = 1;
  setup.http.heartbeat_time = std::chrono::seconds(1);
  Running running(std::move(setup));
  Client works(running.port());
  works.send(endless(true));
  while (running.service().gauges().busy == 0) std::this_thread::sleep_for(milliseconds(1));
  Client waits(running.port());
  waits.send(endless(true, 1, 2));
  while (running.service().gauges().queued == 0) std::this_thread::sleep_for(milliseconds(1));
  EXPECT_FALSE(waits.says_something(milliseconds(100)));
  ASSERT_TRUE(waits.read_until("\r\n\r\n4\r\n: \n\n\r\n"));
  works.close();
  const Answer answer = waits.read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.events().back(), "[DONE]");
}

// One that waits in vain hasn't begun, and is told so.
TEST(Load, AStreamThatNeverBeganIsAnError) {
  ServerSetup setup;
  setup.service.slots = 1;
  setup.http.drain_time = std::chrono::seconds(1);
  auto running = std::make_unique<Running>(std::move(setup));
  Client works(running->port()), waits(running->port());
  works.send(endless(true));
  while (running->service().gauges().busy == 0) std::this_thread::sleep_for(milliseconds(1));
  waits.send(endless(true, 1, 2));
  while (running->service().gauges().queued == 0) std::this_thread::sleep_for(milliseconds(1));
  running.reset();
  EXPECT_EQ(waits.read().status, 0) << "a connection that ends without a word";
}

TEST(Load, WhoReadsSlowlyPausesNobodyElse) {
  ServerSetup setup;
  setup.http.unread_bytes = 4096;
  Running running(std::move(setup));
  Client slow(running.port());
  slow.send(endless(true, 3, kMostTokens));
  ASSERT_TRUE(slow.read_until("data: "));
  for (int i = 0; i < 5; ++i) {
    const Answer answer =
        ask(running.port(), "/v1/chat/completions",
            Json{{"messages", {{{"role", "user"}, {"content", "What is 17 + 25?"}}}}, {"temperature", 0}});
    EXPECT_EQ(answer.json()["choices"][0]["message"]["content"], "17 + 25 = 42.");
  }
  const Answer whole = slow.read();
  EXPECT_TRUE(whole.whole);
  EXPECT_EQ(whole.events().back(), "[DONE]");
}

TEST(Load, SideBySideTheAnswersAreThoseOfOneAlone) {
  ServerSetup setup;
  setup.service.slots = 4;
  Running running(std::move(setup));
  const char* const questions[] = {"What is 17 + 25?", "Tell me a story.", "My name is Ada.",
                                   "Reverse this list: apple, river, stone"};
  const auto said = [&](const char* question) {
    return ask(running.port(), "/v1/chat/completions",
               Json{{"messages", {{{"role", "user"}, {"content", question}}}},
                    {"seed", 7},
                    {"temperature", 1},
                    {"max_tokens", 60}})
        .json()["choices"][0]["message"]["content"]
        .get<std::string>();
  };
  std::vector<std::string> alone;
  for (const char* const question : questions) alone.push_back(said(question));
  std::vector<std::thread> clients;
  for (std::size_t i = 0; i < 8; ++i) {
    clients.emplace_back([&, i] {
      for (int round = 0; round < 5; ++round) EXPECT_EQ(said(questions[i % 4]), alone[i % 4]);
    });
  }
  for (std::thread& client : clients) client.join();
}

// Clients that go at any moment of their request leave nothing behind, and the server as it was.
TEST(Load, RandomDisconnects) {
  ServerSetup setup;
  setup.service.slots = 2;
  setup.service.queue = 4;
  setup.http.connections = 16;
  Running running(std::move(setup));
  std::vector<std::thread> clients;
  for (unsigned seed = 0; seed < 4; ++seed) {
    clients.emplace_back([&, seed] {
      std::mt19937 random(seed);
      const auto up_to = [&](std::size_t most) { return random() % (most + 1); };
      for (int i = 0; i < 40; ++i) {
        Client client(running.port());
        Json body = {
            {"messages", {{{"role", "user"}, {"content", up_to(1) == 0 ? "Tell me a story." : long_prompt()}}}},
            {"ignore_eos", up_to(1) == 0},
            {"stream", up_to(1) == 0}};
        const std::string request = post_request("/v1/chat/completions", body.dump());
        client.send(std::string_view(request).substr(0, up_to(3) == 0 ? up_to(request.size()) : request.size()));
        std::this_thread::sleep_for(milliseconds(up_to(20)));
        if (up_to(2) == 0) client.ended(milliseconds(up_to(20)));
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_TRUE(running.becomes_idle());
  const Answer answer =
      ask(running.port(), "/v1/chat/completions",
          Json{{"messages", {{{"role", "user"}, {"content", "What is 17 + 25?"}}}}, {"temperature", 0}});
  EXPECT_EQ(answer.json()["choices"][0]["message"]["content"], "17 + 25 = 42.");
}

}  // namespace
}  // namespace lfm::test
