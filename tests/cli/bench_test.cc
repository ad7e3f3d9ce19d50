// What lfm bench prints.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "command_line.h"

namespace lfm::test {
namespace {

TEST_F(CommandLine, BenchSideBySide) {
  const std::vector<std::string> bench = {"bench", "-m", model_.path(), "--pack-cache", "off", "-p", "3", "-n",
                                          "4",     "-r", "2",           "-P",           "1,3"};
  for (const std::string format : {"jsonl", "json", "csv", "md"}) {
    std::vector<std::string> arguments = bench;
    if (format == "md") *(arguments.end() - 2) = "-np";  // as llama.cpp spells it
    arguments.insert(arguments.end(), {"-o", format});
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    if (format == "md") {
      EXPECT_NE(outcome.out.find("3 x pp3+tg4"), std::string::npos) << outcome.out;
      continue;
    }
    for (const std::string field : {"n_parallel", "pp_ts", "tg_ts", "gap_p50_ms", "gap_p99_ms"}) {
      EXPECT_NE(outcome.out.find(field), std::string::npos) << field << " in " << outcome.out;
    }
  }
}

TEST_F(CommandLine, BenchReplaysTexts) {
  const std::string text = "one two three, one two three, one two three, one two three.\n";
  const std::string path = model_.folder().write("text", "Say it:\n" + text + "=== answer ===\n" + text);
  const auto bench = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"bench", "-m",       model_.path(), "--pack-cache", "off", "-r",
                                          "2",     "--replay", path};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  };
  for (const std::string format : {"jsonl", "json", "csv", "md"}) {
    const Outcome outcome = bench({"-o", format});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    for (const std::string field : {"drafted", "accepted", "passes", "off", "lookup"}) {
      EXPECT_NE(outcome.out.find(field), std::string::npos) << field << " in " << outcome.out;
    }
    EXPECT_EQ(outcome.out.find("avg_ts") != std::string::npos, format != "md");
  }
  const Outcome off = bench({"--draft", "off", "-o", "jsonl"});
  EXPECT_NE(off.out.find(R"("accepted":0)"), std::string::npos) << off.out;
  EXPECT_EQ(off.out.find("lookup"), std::string::npos) << off.out;
  const std::string draft = model_.folder().write("draft.gguf", tiny_draft().build());
  const Outcome imposed = bench({"-md", draft, "--draft-accept", "1", "-o", "jsonl"});
  EXPECT_EQ(imposed.status, 0) << imposed.err;
  for (const std::string field : {R"("draft":"model")", "draft_blocks", "draft_layers_ms", "draft_head_ms"})
    EXPECT_NE(imposed.out.find(field), std::string::npos) << field << " in " << imposed.out;
  const std::string whole = bench({"-md", draft}).err;
  EXPECT_NE(whole.find("draft network: "), std::string::npos) << whole;
  EXPECT_NE(whole.find(" blocks in 2 repetitions, "), std::string::npos) << whole;
  expect_usage({"bench", "-m", "x", "--replay", path, "--draft", "model"}, "name its file with -md");
  const std::string empty = model_.folder().write("empty", "Say it:\n=== answer ===\n");
  expect_failure({"bench", "-m", model_.path(), "--pack-cache", "off", "--replay", empty}, "there is nothing to say");
  const std::string bare = model_.folder().write("bare", "Nothing is read before.\n");
  EXPECT_EQ(run({"bench", "-m", model_.path(), "--pack-cache", "off", "-r", "1", "--replay", bare}).status, 0);
  expect_usage({"bench", "-m", "x", "--draft", "off"}, "--draft requires --replay");
  expect_usage({"bench", "-m", "x", "--replay", path, "--draft-accept", "1"}, "--draft-accept requires --model-draft");
}

TEST_F(CommandLine, BenchPrintsWholeJsonOrNone) {
  const auto bench = [&](const std::string& path, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"bench",       "-m",           path,  "-r", "1",
                                          "--no-warmup", "--pack-cache", "off", "-t", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  };
  const Outcome too_long = bench(model_.path(), {"-p", "1,9000000", "-n", "0", "-o", "json"});
  EXPECT_EQ(too_long.status, 1);
  EXPECT_EQ(too_long.out, "") << "the second is known not to fit before the first is run";
  EXPECT_NE(too_long.err.find("lfm: -p 9000000: "), std::string::npos) << too_long.err;
  const Outcome too_long_together = bench(model_.path(), {"-p", "1,9000000", "-n", "1", "-P", "1,2", "-o", "json"});
  EXPECT_EQ(too_long_together.status, 1);
  EXPECT_EQ(too_long_together.out, "") << "likewise";
  EXPECT_NE(too_long_together.err.find("lfm: -p 9000000 -n 1: "), std::string::npos) << too_long_together.err;
  const Outcome too_deep = bench(model_.path(), {"-p", "0", "-n", "0", "--pg", "3,2", "-d", "9000000"});
  EXPECT_NE(too_deep.err.find("lfm: --pg 3,2 -d 9000000: "), std::string::npos) << too_deep.err;
  const Outcome small = bench(model_.path(), {"-p", "2", "-n", "0"});
  EXPECT_NE(small.out.find("M.A0."), std::string::npos) << "sizes are no zeros: " << small.out;
  const std::string path = model_.folder().write("caf\xe9 \"x\".gguf", read_all(model_.path()));
  for (const std::string format : {"json", "jsonl"}) {
    const Outcome outcome = bench(path, {"-p", "2", "-n", "1", "-o", format});
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("caf\xEF\xBF\xBD"), std::string::npos) << outcome.out;
    EXPECT_EQ(outcome.out.ends_with("\n]\n"), format == "json") << outcome.out;
  }
  EXPECT_NE(bench(path, {"-p", "2", "-n", "0", "-o", "csv"}).out.find("\"\"x\"\".gguf\""), std::string::npos);
  const Outcome both = bench(model_.path(), {"-p", "0", "-n", "0", "-pg", "3,2", "-o", "jsonl"});
  for (const char* field : {"\"n_prompt\":3,\"n_gen\":2,", "\"limit_percent\":null,"}) {
    EXPECT_NE(both.out.find(field), std::string::npos) << both.out << both.err;
  }
  const std::size_t samples = both.out.find("\"samples_ns\":[");
  ASSERT_NE(samples, std::string::npos);
  EXPECT_EQ(both.out.substr(samples, both.out.find(']', samples) - samples).find('.'), std::string::npos) << both.out;
  expect_usage({"bench", "-m", "x", "-pg", "3,2,1"}, "--pg: the second of a pair");
  for (const std::string option : {"--delay", "-oe", "--list-devices", "--progress", "-rpc", "--cpu-strict", "-mmp",
                                   "-dio", "-embd", "-nopo", "--no-host", "-ngl", "-fa", "-ts", "-b", "-C"}) {
    const Outcome named = run({"bench", "-m", "x", option, "1"});
    EXPECT_EQ(named.status, 2) << option;
    EXPECT_TRUE(named.err.starts_with("lfm: " + option + ": ")) << named.err;
    EXPECT_EQ(named.err.find("no such option"), std::string::npos) << named.err;
  }
  expect_usage({"bench", "-m", "x", "-p", "0", "-n", "0"}, "a number of tokens (-p, -n or --pg) is required");
  expect_usage({"bench", "-m", "x", "-p", "0", "-n", "0", "-P", "2"},
               "a number of tokens (-p, -n or --pg) is required");
  const Outcome sustained = bench(model_.path(), {"--sustained", "0.001", "-o", "json"});
  EXPECT_TRUE(sustained.out.starts_with("[\n") && sustained.out.ends_with("\n]\n")) << sustained.out;
  EXPECT_NE(sustained.out.find("\"first_percent\": 100.0"), std::string::npos) << sustained.out;
}

// All the time that was asked for, in rows of one length.
TEST_F(CommandLine, BenchSustainsForAsLongAsIsSaid) {
  const auto start = std::chrono::steady_clock::now();
  const Outcome outcome =
      run({"bench", "-m", model_.path(), "--pack-cache", "off", "-t", "1", "--sustained", "0.18", "-o", "jsonl"});
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(std::count(outcome.out.begin(), outcome.out.end(), '\n'), 2)
      << "10.8 s are two rows of 5.4: " << outcome.out;
  EXPECT_GE(seconds, 10.8);
  EXPECT_LT(seconds, 18) << "not two rows of 10";
}

TEST_F(CommandLine, BenchTellsPhasesOrRefusesTo) {
  const std::vector<std::string> bench = {"bench", "-m", model_.path(), "--pack-cache", "off", "-t",       "1", "-r",
                                          "1",     "-p", "2",           "-n",           "1",   "--profile"};
  for (const auto& [format, field] :
       {std::pair{"csv", ",ms of attention,"}, {"json", "\"phases_ms\": {"}, {"jsonl", "\"phases_ms\":{"}}) {
    std::vector<std::string> arguments = bench;
    arguments.insert(arguments.end(), {"-o", format});
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_NE(outcome.out.find(field), std::string::npos) << outcome.out;
  }
  expect_usage({"bench", "-m", "x", "--profile", "-P", "2"}, "--parallel excludes --profile");
  expect_usage({"bench", "-m", "x", "--profile", "--sustained", "1"}, "--sustained excludes --profile");
  expect_usage({"bench", "-m", "x", "--profile", "--replay", "y"}, "--replay excludes --profile");
}

}  // namespace
}  // namespace lfm::test
