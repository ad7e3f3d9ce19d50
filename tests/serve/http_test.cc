// HTTP as bytes: what comes, however it comes, and what doesn't.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <thread>

#include "client.h"
#include "running.h"
#include "support/temp_folder.h"

namespace lfm::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

TEST(Http, OneConnectionManyRequests) {
  Running running;
  Client client(running.port());
  for (int i = 0; i < 3; ++i) {
    client.send(get_request("/health"));
    const Answer answer = client.read();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.header("connection"), "keep-alive");
    EXPECT_EQ(answer.json()["status"], "ok");
  }
  client.send(get_request("/health", "Connection: close\r\n"));
  EXPECT_TRUE(client.read().closed);
  EXPECT_TRUE(client.ended(seconds(5)));
}

TEST(Http, RequestsInOnePacketAreAnsweredInTurn) {
  Running running;
  Client client(running.port());
  std::string all;
  for (int i = 0; i < 20; ++i) all += get_request(i % 2 == 0 ? "/health" : "/v1/models");
  client.send(all);
  for (int i = 0; i < 20; ++i) {
    const Answer answer = client.read();
    ASSERT_EQ(answer.status, 200) << i;
    EXPECT_EQ(answer.json().contains("status"), i % 2 == 0) << i;
  }
}

TEST(Http, BodiesMayComeByteByByteAndInChunks) {
  Running running;
  const std::string body = R"({"content":"Hello there"})";
  Client slow(running.port());
  for (const char c : post_request("/tokenize", body)) slow.send(std::string_view(&c, 1));
  const Answer first = slow.read();
  ASSERT_EQ(first.status, 200);

  slow.send(
      "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json; charset=utf-8\r\n"
      "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"con\r\n14\r\ntent\":\"Hello there\"}\r\n0\r\n\r\n");
  EXPECT_EQ(slow.read().body, first.body);

  slow.send(
      "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue\r\n"
      "Content-Length: " +
      std::to_string(body.size()) + "\r\n\r\n");
  ASSERT_TRUE(slow.read_until("100 Continue"));
  slow.send(body);
  EXPECT_EQ(slow.read().body, first.body);
}

TEST(Http, OldClientsGetTheirStreamUntilTheEnd) {
  Running running;
  Client client(running.port());
  const std::string body = R"({"messages":[{"role":"user","content":"Hello"}],"stream":true,"max_tokens":4})";
  client.send("POST /v1/chat/completions HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: " +
              std::to_string(body.size()) + "\r\n\r\n" + body);
  const Answer answer = client.read();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.header("Transfer-Encoding"), "");
  ASSERT_FALSE(answer.events().empty());
  EXPECT_EQ(answer.events().back(), "[DONE]");
}

TEST(Http, HeadSaysHowLongItWouldBe) {
  Running running;
  Client client(running.port());
  client.send("HEAD /health HTTP/1.1\r\nHost: localhost\r\n\r\n" + get_request("/health"));
  const Answer head = client.read(true);
  EXPECT_EQ(head.status, 200);
  const Answer whole = client.read();
  EXPECT_EQ(head.header("Content-Length"), std::to_string(whole.body.size()));
}

TEST(Http, WhatIsNoRequestIsRefused) {
  Running running;
  std::string said;
  const auto status = [&](const std::string& bytes) {
    Client client(running.port());
    client.send(bytes);
    const Answer answer = client.read();
    EXPECT_TRUE(answer.whole) << bytes;
    EXPECT_TRUE(answer.json().contains("error")) << bytes;
    said = answer.json()["error"]["message"];
    return answer.status;
  };
  EXPECT_EQ(status("hello\r\n\r\n"), 400);
  EXPECT_EQ(status("GET /health HTTP/9.9\r\n\r\n"), 400);
  EXPECT_EQ(status("GET /health HTTP/1.1\r\n\r\n"), 400);
  EXPECT_NE(said.find("no Host header"), std::string::npos) << said;
  EXPECT_EQ(status("GET /health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"), 400);
  EXPECT_NE(said.find("more than one Host"), std::string::npos) << said;
  EXPECT_EQ(status("GET health HTTP/1.1\r\nHost: localhost\r\n\r\n"), 400);
  EXPECT_NE(said.find("no path"), std::string::npos) << said;
  EXPECT_EQ(status("POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                   "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            400);
  EXPECT_EQ(status("POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                   "Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}"),
            400);
  EXPECT_EQ(status("POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                   "Content-Length: -1\r\n\r\n{}"),
            400);
  EXPECT_EQ(status(get_request("/health", "X: " + std::string(20000, 'x') + "\r\n")), 431);
  EXPECT_EQ(status("POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                   "Content-Length: 99999999999\r\n\r\n{}"),
            413);
  EXPECT_EQ(get(running.port(), "/health").status, 200);
}

TEST(Http, ARefusalIsReadEvenWhereTheBodyIsStillComing) {
  ServerSetup setup;
  setup.http.body_bytes = std::size_t{1} << 30;
  setup.http.all_body_bytes = std::size_t{1} << 30;
  Running running(std::move(setup));
  Client client(running.port());
  client.send(
      "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 500000\r\n\r\n");
  for (int i = 0; i < 50; ++i) client.send(std::string(10000, 'x'));
  const Answer answer = client.read();
  EXPECT_EQ(answer.status, 415);
  EXPECT_TRUE(answer.whole);
  EXPECT_TRUE(answer.closed);
}

TEST(Http, BodiesTogetherHaveALimit) {
  ServerSetup setup;
  setup.http.all_body_bytes = 1000;
  Running running(std::move(setup));
  Client holds(running.port());
  holds.send(
      "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n{");
  std::this_thread::sleep_for(milliseconds(100));
  const Answer refused = post(running.port(), "/tokenize", "{\"content\":\"" + std::string(200, 'x') + "\"}");
  EXPECT_EQ(refused.status, 503);
  EXPECT_NE(refused.header("Retry-After"), "");
  holds.close();
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_EQ(post(running.port(), "/tokenize", "{\"content\":\"" + std::string(200, 'x') + "\"}").status, 200);
}

TEST(Http, WhoDoesntSpeakIsLeft) {
  ServerSetup setup;
  setup.http.header_time = seconds(1);
  setup.http.body_time = seconds(1);
  setup.http.idle_time = seconds(1);
  Running running(std::move(setup));
  Client silent(running.port()), half(running.port()), waiting(running.port()), kept(running.port());
  half.send("GET /health HT");
  waiting.send(
      "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{");
  kept.send(get_request("/health"));
  EXPECT_EQ(kept.read().status, 200);
  EXPECT_EQ(half.read().status, 408);
  EXPECT_EQ(waiting.read().status, 408);
  EXPECT_TRUE(silent.ended(seconds(5)));
  EXPECT_TRUE(kept.ended(seconds(5)));
}

TEST(Http, AThousandStalledConnectionsHoldNobodyUp) {
  Running running;
  std::vector<Client> stalled;
  for (int i = 0; i < 1000; ++i) {
    stalled.emplace_back(running.port());
    stalled.back().send(i % 2 == 0 ? "GET /health HTTP/1.1\r\nHo"
                                   : "POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                     "Content-Length: 100\r\n\r\n{");
  }
  EXPECT_LE(running.server().connections(), 256u);
  milliseconds longest{0};
  for (int i = 0; i < 20; ++i) {
    const auto begin = Clock::now();
    EXPECT_EQ(get(running.port(), "/health").status, 200);
    longest = std::max(longest, std::chrono::duration_cast<milliseconds>(Clock::now() - begin));
  }
  // 50 ms are aimed at; a test machine may be busy with something else.
  EXPECT_LE(longest.count(), 1000);
  std::printf("[          ] /health beside 1,000 stalled connections: %d ms at most\n",
              static_cast<int>(longest.count()));
}

TEST(Http, WhoWorksIsNotEvicted) {
  ServerSetup setup;
  setup.http.connections = 4;
  Running running(std::move(setup));
  Client works(running.port());
  works.send(post_request("/v1/chat/completions",
                          R"({"messages":[{"role":"user","content":"Tell me a story."}],"stream":true,)"
                          R"("ignore_eos":true,"max_tokens":300})"));
  ASSERT_TRUE(works.read_until("data: "));
  std::vector<Client> others;
  for (int i = 0; i < 20; ++i) others.emplace_back(running.port());
  const Answer answer = works.read();
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(answer.events().back(), "[DONE]");
}

TEST(Http, AUnixSocketIsForThisUserAlone) {
  const TempFolder folder;
  ServerSetup setup;
  setup.socket = folder.path("lfm.sock");
  {
    Running running(setup);
    struct stat found {};
    ASSERT_EQ(::stat(setup.socket.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0600u);
    Client client(setup.socket);
    client.send("GET /v1/models HTTP/1.1\r\nHost: anything\r\n\r\n");
    EXPECT_EQ(client.read().status, 200);
    EXPECT_THROW(Running{setup}, std::runtime_error) << "somebody listens there";
  }
  EXPECT_TRUE(folder.files().empty());
  folder.write("lfm.sock", "a file");
  EXPECT_THROW(Running{setup}, std::runtime_error);
}

TEST(Http, ToldToEndItFinishesWhatRuns) {
  Running running;
  Client works(running.port()), idle(running.port());
  idle.send(get_request("/health"));
  EXPECT_EQ(idle.read().status, 200);
  works.send(post_request("/v1/chat/completions",
                          R"({"messages":[{"role":"user","content":"Tell me a story."}],"stream":true,)"
                          R"("ignore_eos":true,"max_tokens":300})"));
  ASSERT_TRUE(works.read_until("data: "));
  running.server().stop();
  EXPECT_TRUE(idle.ended(seconds(5)));
  EXPECT_THROW(Client(running.port()), std::runtime_error);
  const Answer answer = works.read();
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(answer.events().back(), "[DONE]");
  EXPECT_TRUE(works.ended(seconds(5)));
}

TEST(Http, WhatTakesTooLongToFinishIsEnded) {
  ServerSetup setup;
  setup.http.drain_time = seconds(1);
  Running running(std::move(setup));
  Client works(running.port());
  works.send(post_request("/v1/chat/completions",
                          R"({"messages":[{"role":"user","content":"Tell me a story."}],"ignore_eos":true,"n":8})"));
  while (running.service().gauges().busy == 0) std::this_thread::sleep_for(milliseconds(1));
  running.server().stop();
  EXPECT_TRUE(works.ended(seconds(20)));
}

TEST(Http, WhileTheModelIsLoading) {
  ServerSetup setup;
  setup.loads = false;
  Running running(std::move(setup));
  for (const char* const path : {"/health", "/v1/models", "/props"}) {
    const Answer answer = get(running.port(), path);
    EXPECT_EQ(answer.status, 503) << path;
    EXPECT_EQ(answer.json()["error"]["type"], "unavailable_error");
    EXPECT_NE(answer.header("Retry-After"), "");
  }
  EXPECT_EQ(post(running.port(), "/v1/chat/completions", "{}").status, 503);
  EXPECT_EQ(get(running.port(), "/").status, 200);
}

}  // namespace
}  // namespace lfm::test
