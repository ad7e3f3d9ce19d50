// lfm chat as scripts use it: one question through a pipe, and lines of JSON.
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "chat_model.h"

namespace lfm::test {
namespace {

using Json = nlohmann::json;

class ChatScript : public testing::Test {
 protected:
  Outcome run(const std::vector<std::string>& options, const std::string& input) const {
    return run_program({.arguments = model_.chat(options), .input = input, .environment = model_.environment()});
  }

  // The events of a run with --json. Every line is one.
  std::vector<Json> events(const std::vector<std::string>& options, const std::string& input, int status) const {
    std::vector<std::string> all = {"--json"};
    all.insert(all.end(), options.begin(), options.end());
    const Outcome outcome = run(all, input);
    EXPECT_EQ(outcome.status, status) << outcome.err << outcome.out;
    std::vector<Json> out;
    std::istringstream lines(outcome.out);
    for (std::string line; std::getline(lines, line);) {
      out.push_back(Json::parse(line, nullptr, false));
      EXPECT_TRUE(out.back().is_object()) << line;
    }
    return out;
  }

  ChatModel model_;
};

// The texts of all pieces of one answer after the other.
std::vector<std::string> answers(const std::vector<Json>& events) {
  std::vector<std::string> out = {""};
  for (const Json& event : events) {
    if (event["event"] == "text") out.back() += event["text"].get<std::string>();
    if (event["event"] == "finish") out.emplace_back();
  }
  out.pop_back();
  return out;
}

std::vector<std::string> names(const std::vector<Json>& events) {
  std::vector<std::string> out;
  for (const Json& event : events) {
    const auto name = event["event"].get<std::string>();
    if (out.empty() || out.back() != name) out.push_back(name);
  }
  return out;
}

TEST_F(ChatScript, APipeGetsTheAnswerAlone) {
  const Outcome once = run({"-n", "12"}, "Hello\n");
  EXPECT_EQ(once.status, 0) << once.err;
  EXPECT_FALSE(once.out.empty());
  EXPECT_TRUE(once.out.ends_with('\n'));
  EXPECT_EQ(run({"-n", "12"}, "Hello").out, once.out) << "the last line break isn't part of the question";
  EXPECT_EQ(run({"-n", "12", "-p", "Hello"}, "").out, once.out);
  EXPECT_NE(run({"-n", "12", "--system", "Be brief."}, "Hello").out, once.out);
}

TEST_F(ChatScript, APipeGetsTheBytesAsTheyAre) {
  const Outcome outcome = run(ChatModel::any_bytes({"-p", "Hello"}), "");
  EXPECT_NE(outcome.out.find('\x1b'), std::string::npos);
}

TEST_F(ChatScript, TheSameSeedGivesTheSameAnswer) {
  const std::vector<std::string> options = {"-n", "12", "--temp", "1", "--seed", "4", "-p", "Hello"};
  EXPECT_EQ(run(options, "").out, run(options, "").out);
  EXPECT_NE(run({"-n", "12", "--temp", "1", "--seed", "5", "-p", "Hello"}, "").out, run(options, "").out);
}

TEST_F(ChatScript, AnAnswerThatWasCutIsANote) {
  const Outcome outcome = run({"-n", "3", "-p", "Hello"}, "");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_NE(outcome.err.find("lfm: note: "), std::string::npos) << outcome.err;
}

TEST_F(ChatScript, JsonEvents) {
  const std::vector<Json> all = events({"-n", "9"}, "Hello\n", 0);
  EXPECT_EQ(names(all), (std::vector<std::string>{"ready", "text", "finish"}));
  EXPECT_EQ(all.front()["model"], "tiny");
  EXPECT_EQ(all.front()["context_tokens"], 32768);
  EXPECT_EQ(all.back()["reason"], "length");
  EXPECT_EQ(all.back()["tokens"], 9);
  EXPECT_EQ(all.back()["prompt_reused_tokens"], 0);
  EXPECT_GT(all.back()["prompt_evaluated_tokens"], 5);
  EXPECT_EQ(answers(all)[0] + "\n", run({"-n", "9"}, "Hello\n").out);
}

TEST_F(ChatScript, JsonConversation) {
  const std::vector<Json> all = events({"-n", "9"},
                                       "Hello\n"
                                       "{\"role\":\"user\",\"content\":\"And then?\"}\n"
                                       "\n"
                                       "{\"role\":\"user\",\"content\":\"Hello\",\"edit\":1}\n"
                                       "/regen\n"
                                       "/undo\n"
                                       "/undo\n"
                                       "Hello\n"
                                       "/exit\n"
                                       "never asked\n",
                                       1);
  EXPECT_EQ(names(all), (std::vector<std::string>{"ready", "text", "finish", "text", "finish", "text", "finish", "text",
                                                  "finish", "done", "error", "text", "finish"}));
  const std::vector<std::string> said = answers(all);
  ASSERT_EQ(said.size(), 5u);
  EXPECT_NE(said[1], said[0]);
  EXPECT_EQ(said[2], said[0]) << "edited to be the same question";
  EXPECT_EQ(said[3], said[0]) << "the likeliest tokens are always the same";
  EXPECT_EQ(said[4], said[0]);
  for (const Json& event : all) {
    if (event["event"] == "error") {
      EXPECT_EQ(event["message"], "nothing was asked yet");
    }
    if (event["event"] == "done") {
      EXPECT_EQ(event["command"], "/undo");
    }
  }
}

TEST_F(ChatScript, JsonTakesWhatWasSaidElsewhere) {
  const std::string question = "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"And then?\"}]}\n";
  const std::vector<Json> told = events({"-n", "9"},
                                        "{\"role\":\"system\",\"content\":\"Be brief.\"}\n"
                                        "Hello\n"
                                        "{\"role\":\"assistant\",\"content\":\"Good day!\"}\n" +
                                            question + "/show\n",
                                        0);
  EXPECT_EQ(names(told), (std::vector<std::string>{"ready", "done", "text", "finish", "done", "text", "finish", "done"}));
  EXPECT_EQ(told.back()["lines"][0], "system: Be brief.");
  EXPECT_EQ(told.back()["lines"][2], "assistant: Good day!");
  EXPECT_EQ(told.back()["lines"][3], "2: And then?");
}

TEST_F(ChatScript, AnEditThatDoesNotFitLosesNothing) {
  const std::string much(300, 'x');
  const std::vector<Json> all = events({"-n", "9", "-c", "200"},
                                       "Hello\nAnd then?\n/show\n{\"role\":\"user\",\"content\":\"" + much +
                                           "\",\"edit\":1}\n/show\n",
                                       1);
  std::vector<Json> shown;
  for (const Json& event : all) {
    if (event["event"] == "done") shown.push_back(event["lines"]);
    if (event["event"] == "error") {
      EXPECT_NE(event["message"].get<std::string>().find("-c makes room for more"), std::string::npos) << event;
    }
  }
  ASSERT_EQ(shown.size(), 2u);
  EXPECT_EQ(shown[0].size(), 4u);
  EXPECT_EQ(shown[1], shown[0]);
}

TEST_F(ChatScript, TextsOfOtherSystems) {
  const std::string line = "{\"role\":\"user\",\"content\":\"Hello\"}\r\n";
  const std::vector<Json> plain = events({"-n", "9"}, line, 0);
  EXPECT_EQ(answers(events({"-n", "9"}, "\xEF\xBB\xBF" + line, 0)), answers(plain));
  EXPECT_EQ(run({"-n", "9"}, "\xEF\xBB\xBFHello").out, run({"-n", "9"}, "Hello").out);
  EXPECT_NE(run({"-n", "9"}, "\xEF\xBB\xBFHello").err.find("byte order mark"), std::string::npos);
  const std::string wide("\xFF\xFEH\0i\0\n\0", 8);
  const Outcome refused = run({}, wide);
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(refused.out, "");
  EXPECT_NE(refused.err.find("standard input: this is UTF-16"), std::string::npos) << refused.err;
  const Outcome unmarked = run({"-n", "9"}, std::string("H\0e\0l\0l\0o\0", 10));
  EXPECT_NE(unmarked.err.find("standard input: this looks like UTF-16"), std::string::npos) << unmarked.err;
  EXPECT_EQ(names(events({}, wide, 1)), (std::vector<std::string>{"ready", "error"}));
}

TEST_F(ChatScript, JsonReusesWhatItKnows) {
  const std::vector<Json> all = events({"-n", "9"}, "Hello\nAnd then?\n/regen\n", 0);
  std::vector<Json> ends;
  for (const Json& event : all) {
    if (event["event"] == "finish") ends.push_back(event);
  }
  ASSERT_EQ(ends.size(), 3u);
  const std::size_t first = ends[0]["prompt_evaluated_tokens"].get<std::size_t>() + 9;
  EXPECT_GE(ends[1]["prompt_reused_tokens"].get<std::size_t>() + 2, first) << "the first question and its answer";
  EXPECT_LE(ends[2]["prompt_evaluated_tokens"].get<std::size_t>(), 1u) << "another answer costs no reading";
}

TEST_F(ChatScript, JsonErrorsNameWhatIsWrong) {
  const std::pair<std::string, std::string> lines[] = {
      {"{", "isn't JSON (at byte 2)"},
      {"{\"role\":\"king\",\"content\":\"\"}", "role: is none of user, assistant, tool, system and developer"},
      {"{\"role\":\"tool\",\"content\":\"1\"}", "no call waits for a result"},
      {"{\"role\":\"user\",\"content\":\"a\",\"edit\":1}", "nothing was asked yet"},
      {"/load /nowhere/talk.json", "/nowhere/talk.json: cannot open: No such file or directory"},
      {"/tools /nowhere/tools.json", "cannot open: No such file or directory"},
      {"/frobnicate", "no command /frobnicate; /help lists them"},
      {"/regen", "there is nothing to answer yet"},
  };
  std::string input;
  for (const auto& [line, message] : lines) input += line + "\n";
  const std::vector<Json> all = events({}, input, 1);
  ASSERT_EQ(all.size(), 1 + std::size(lines));
  for (std::size_t i = 0; i < std::size(lines); ++i) {
    EXPECT_EQ(all[i + 1]["event"], "error");
    EXPECT_NE(all[i + 1]["message"].get<std::string>().find(lines[i].second), std::string::npos) << all[i + 1];
  }
}

TEST_F(ChatScript, JsonSavesAndLoads) {
  const std::string saved = model_.folder().path("talk.json");
  const std::vector<Json> before = events({"-n", "9"}, "Hello\n/save " + saved + "\nAnd then?\n", 0);
  const std::vector<Json> after = events({"-n", "9", "--resume", saved}, "And then?\n", 0);
  EXPECT_EQ(answers(after)[0], answers(before)[1]);
  EXPECT_GT(after.back()["prompt_reused_tokens"], 9);

  ASSERT_EQ(::truncate((saved + ".state").c_str(), 1000), 0);
  const std::vector<Json> damaged = events({"-n", "9", "--resume", saved}, "And then?\n", 0);
  EXPECT_EQ(answers(damaged)[0], answers(before)[1]) << "read again";
  EXPECT_EQ(damaged.back()["prompt_reused_tokens"], 0);
}

TEST_F(ChatScript, JsonIsFitForATerminal) {
  const Outcome outcome = run(ChatModel::any_bytes({"--json"}), "Hello\nHello\nHello\nHello\n");
  EXPECT_NE(outcome.out.find("\\u001b"), std::string::npos);
  for (const char c : outcome.out) ASSERT_TRUE((c >= 0x20 && c < 0x7F) || c == '\n');
}

TEST_F(ChatScript, CtrlCEndsAnAnswerWithItsEvents) {
  const Outcome outcome = run_program({.arguments = model_.chat({"--json", "-c", "100000"}),
                                       .input = "Tell me a long story\n",
                                       .environment = model_.environment(),
                                       .signal = SIGINT,
                                       .signal_after = "\"event\":\"text\""});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("\"reason\":\"cancelled\""), std::string::npos);
}

TEST_F(ChatScript, CtrlCEndsOneQuestionWith130) {
  const Outcome outcome = run_program({.arguments = model_.chat({"-c", "100000", "-p", "Tell me a long story"}),
                                       .environment = model_.environment(),
                                       .signal = SIGINT,
                                       .signal_after = "e"});
  EXPECT_EQ(outcome.status, 130) << outcome.err;
  EXPECT_FALSE(outcome.out.empty()) << "what was said stays";
}

TEST_F(ChatScript, ToolsAreReadFromAFile) {
  const std::string tools = model_.folder().write(
      "tools.json", R"([{"name":"get_weather","description":"Weather of a city","parameters":{"type":"object"}}])");
  const std::vector<Json> all = events({"--tools", tools}, "/tools\n/tools clear\n", 0);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[1]["lines"][0], "get_weather: Weather of a city");
  EXPECT_EQ(all[2]["lines"][0], "no tools");
  const Outcome outcome = run({"--tools", model_.folder().write("bad.json", "[1]")}, "Hello");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.err.find("bad.json: tools: isn't an object (index 0)"), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace lfm::test
