// Batches: every request is answered once, with what it would be answered alone, however often the program is killed.
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "batch/answers.h"
#include "batch/requests.h"
#include "program.h"
#include "support/expect.h"
#include "support/temp_folder.h"
#include "talk/json_text.h"

namespace lfm::test {
namespace {

using cli::Json;

Json request(const std::string& id, const std::string& question, int tokens = 12) {
  return {{"custom_id", id},
          {"method", "POST"},
          {"url", "/v1/chat/completions"},
          {"body",
           {{"messages", {{{"role", "system"}, {"content", "Be brief."}}, {{"role", "user"}, {"content", question}}}},
            {"max_tokens", tokens},
            {"temperature", 0}}}};
}

std::string lines_of(const std::vector<Json>& all) {
  std::string out;
  for (const Json& one : all) out += one.dump() + "\n";
  return out;
}

std::vector<Json> questions(std::size_t count, int tokens = 12) {
  std::vector<Json> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(request("q" + std::to_string(i), "What is " + std::to_string(i) + " plus 1?", tokens));
  return out;
}

std::vector<std::string> command(const std::string& in, const std::string& out,
                                 const std::vector<std::string>& more = {}) {
  std::vector<std::string> all = {"batch", "-m", LFM_NANO_FILE, "-t", "1", "--pack-cache", "off", in, "-o", out};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

// Texts by id; a request that is answered twice, or a line that is none, fails.
std::map<std::string, std::string> texts_in(const std::string& path) {
  std::map<std::string, std::string> out;
  const std::string bytes = read_all(path);
  EXPECT_TRUE(bytes.empty() || bytes.back() == '\n');
  std::istringstream lines(bytes);
  for (std::string line; std::getline(lines, line);) {
    const auto json = cli::parse_json(line);
    if (!json.ok()) {
      ADD_FAILURE() << "no JSON: " << line;
      continue;
    }
    EXPECT_EQ((*json)["response"]["status_code"], 200) << line;
    const std::string id = (*json)["custom_id"];
    EXPECT_FALSE(out.contains(id)) << id << " is there twice";
    out[id] = (*json)["response"]["body"]["choices"][0]["message"].dump();
  }
  return out;
}

TEST(Batch, AnswersAreThoseThatEachHasAlone) {
  const TempFolder folder;
  const std::string in = folder.write("in.jsonl", lines_of(questions(9)));
  const Outcome together = run_program({command(in, folder.path("out.jsonl"), {"-np", "4"})});
  EXPECT_EQ(together.status, 0) << together.err;
  EXPECT_NE(together.err.find("9 of 9 requests are answered"), std::string::npos) << together.err;
  const Outcome alone = run_program({command(in, folder.path("alone.jsonl"), {"-np", "1"})});
  EXPECT_EQ(alone.status, 0) << alone.err;
  const auto texts = texts_in(folder.path("out.jsonl"));
  EXPECT_EQ(texts.size(), 9u);
  EXPECT_EQ(texts, texts_in(folder.path("alone.jsonl")));
  // All are there: nothing is done.
  const std::string before = read_all(folder.path("out.jsonl"));
  EXPECT_EQ(run_program({command(in, folder.path("out.jsonl"))}).status, 0);
  EXPECT_EQ(read_all(folder.path("out.jsonl")), before);
}

// Killed again and again, at any moment, until it gets to its end.
TEST(Batch, KilledAtRandomItLosesNothingAndDoublesNothing) {
  const TempFolder folder;
  const std::string in = folder.write("in.jsonl", lines_of(questions(40, 40))), out = folder.path("out.jsonl");
  std::mt19937 random(11);
  int killed = 0;
  for (int status = -1; status != 0;) {
    ASSERT_LT(killed, 200);
    std::vector<std::string> arguments = command(in, out, {"-np", "4"});
    arguments.insert(arguments.begin(), LFM_PROGRAM);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    pid_t child = 0;
    ASSERT_EQ(posix_spawn(&child, LFM_PROGRAM, nullptr, nullptr, argv.data(), environ), 0);
    // At first before it can be done, and longer each time, so that it ends also where it is slow.
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(random() % (20 + 60 * killed));
    int waited = 0;
    pid_t ended = 0;
    while ((ended = waitpid(child, &waited, WNOHANG)) == 0 && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    if (ended == 0) {
      kill(child, SIGKILL);
      waitpid(child, &waited, 0);
      ++killed;
      continue;
    }
    ASSERT_TRUE(WIFEXITED(waited));
    status = WEXITSTATUS(waited);
    ASSERT_EQ(status, 0);
  }
  EXPECT_GT(killed, 0);
  const auto texts = texts_in(out);
  EXPECT_EQ(texts.size(), 40u);
  EXPECT_EQ(run_program({command(in, folder.path("whole.jsonl"))}).status, 0);
  EXPECT_EQ(texts, texts_in(folder.path("whole.jsonl")));
}

TEST(Batch, ShardsAreAllOfItOnce) {
  const TempFolder folder;
  const std::string in = folder.write("in.jsonl", lines_of(questions(10)));
  std::multiset<std::string> ids;
  for (std::size_t i = 1; i <= 3; ++i) {
    auto requests = batch::Requests::open(in, {i, 3});
    ASSERT_TRUE(requests.ok()) << requests.error().describe();
    for (std::size_t n = 0; n < requests->size(); ++n) {
      ids.insert(requests->id(n));
      EXPECT_EQ(requests->read(n)->id, requests->id(n));
    }
  }
  EXPECT_EQ(ids.size(), 10u);
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 10u);
  batch::Shard shard;
  EXPECT_EQ(batch::read_shard("2/8", shard), "");
  EXPECT_EQ(shard.number, 2u);
  EXPECT_EQ(shard.of, 8u);
  for (const char* const wrong : {"", "0/3", "4/3", "1", "1/", "/2", "a/b", "1/2/3", "-1/2"})
    EXPECT_NE(batch::read_shard(wrong, shard), "") << wrong;
}

TEST(Batch, WhatIsNoRequestIsToldBeforeAnythingBegins) {
  const TempFolder folder;
  const std::string good = request("a", "Why?").dump();
  const auto error_of = [&](const std::string& line) {
    return batch::Requests::open(folder.write("in.jsonl", good + "\n\n" + line + "\n"), {});
  };
  expect_error(error_of("{"), ErrorCode::kFormat, "in.jsonl, line 3");
  expect_error(error_of("[]"), ErrorCode::kFormat, "isn't an object");
  expect_error(error_of(good), ErrorCode::kArgument, "line 3: the custom_id \"a\" was there before");
  expect_error(error_of(R"({"url": "/", "body": {}})"), ErrorCode::kFormat, "custom_id is missing");
  expect_error(error_of(R"({"custom_id": 7, "url": "/", "body": {}})"), ErrorCode::kFormat, "custom_id");
  expect_error(error_of(R"({"custom_id": "b", "body": {}})"), ErrorCode::kFormat, "url is missing");
  expect_error(error_of(R"({"custom_id": "b", "url": "/", "body": []})"), ErrorCode::kFormat, "body");
  expect_error(batch::Requests::open(folder.path("nothing"), {}), ErrorCode::kIo, "No such file");
  expect_error(batch::Requests::open("/dev/null", {}), ErrorCode::kArgument, "is no file");
  const Outcome told = run_program({command(folder.path("in.jsonl"), folder.path("out.jsonl"))});
  EXPECT_EQ(told.status, 1);
  EXPECT_FALSE(std::filesystem::exists(folder.path("out.jsonl")));
}

TEST(Batch, ARequestsMistakeIsItsAnswer) {
  const TempFolder folder;
  std::vector<Json> all = questions(2);
  all.push_back(request("streamed", "Why?"));
  all.back()["body"]["stream"] = true;
  all.push_back(request("hot", "Why?"));
  all.back()["body"]["temperature"] = -5;
  all.push_back(request("nowhere", "Why?"));
  all.back()["url"] = "https://example.org/v1/nothing";
  const Outcome told =
      run_program({command(folder.write("in.jsonl", lines_of(all)), folder.path("out.jsonl"), {"-np", "2"})});
  EXPECT_EQ(told.status, 1);
  EXPECT_NE(told.err.find("3 of them with an error"), std::string::npos) << told.err;
  std::map<std::string, Json> answers;
  std::istringstream lines(read_all(folder.path("out.jsonl")));
  for (std::string line; std::getline(lines, line);) {
    Json json = *cli::parse_json(line);
    answers[json["custom_id"]] = json["response"];
  }
  EXPECT_EQ(answers.size(), 5u);
  EXPECT_EQ(answers["q0"]["status_code"], 200);
  EXPECT_EQ(answers["streamed"]["status_code"], 400);
  EXPECT_EQ(answers["streamed"]["body"]["error"]["param"], "stream");
  EXPECT_EQ(answers["hot"]["status_code"], 400);
  EXPECT_EQ(answers["hot"]["body"]["error"]["param"], "temperature");
  EXPECT_EQ(answers["nowhere"]["status_code"], 404);
}

TEST(Batch, TheOutputIsThisBatchesAndOneWriters) {
  const TempFolder folder;
  const std::string path = folder.path("out.jsonl");
  {
    auto answers = batch::Answers::open(path);
    ASSERT_TRUE(answers.ok());
    expect_error(batch::Answers::open(path), ErrorCode::kState, "another lfm batch");
    expect_ok(answers->add("{\"custom_id\": \"a\"}\n"));
    expect_ok(answers->add("{\"custom_id\": \"b\"}\n{\"cust"));
    expect_ok(answers->sync());
  }
  {
    const auto answers = batch::Answers::open(path);
    ASSERT_TRUE(answers.ok());
    EXPECT_EQ(answers->ids(), (std::unordered_set<std::string>{"a", "b"}));
  }
  EXPECT_EQ(read_all(path), "{\"custom_id\": \"a\"}\n{\"custom_id\": \"b\"}\n");
  const std::string in = folder.write("in.jsonl", lines_of(questions(1)));
  const Outcome others = run_program({command(in, path)});
  EXPECT_EQ(others.status, 1);
  EXPECT_NE(others.err.find("name another file"), std::string::npos) << others.err;
  folder.write("out.jsonl", "a letter\nto somebody\n");
  expect_error(batch::Answers::open(path), ErrorCode::kFormat, "line 1 isn't an answer of a batch");
  EXPECT_EQ(read_all(path), "a letter\nto somebody\n");
}

}  // namespace
}  // namespace lfm::test
