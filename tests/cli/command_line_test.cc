// What is typed: help, wrong usage, habits from elsewhere, and models that aren't there. Names begin with the case of
// tests/cases (group C) that a test is.
#include "command_line.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "support/split.h"

namespace lfm::test {
namespace {

TEST_F(CommandLine, HelpIsComplete) {
  const Outcome all = run({"--help"});
  EXPECT_EQ(all.status, 0);
  EXPECT_NE(all.out.find("130 when interrupted"), std::string::npos);
  for (const std::string command : {"run", "chat", "bench", "pack", "inspect", "tokenize", "detokenize", "logits"}) {
    EXPECT_NE(all.out.find("\n  " + command + " "), std::string::npos) << command;
    const Outcome one = run({command, "--help"});
    EXPECT_EQ(one.status, 0) << command;
    EXPECT_EQ(one.err, "") << command;
    EXPECT_NE(one.out.find("Usage: lfm " + command), std::string::npos) << one.out;
    EXPECT_NE(one.out.find("--help"), std::string::npos) << command;
  }
  EXPECT_EQ(run({"--version"}).status, 0);
  EXPECT_TRUE(run({"--version"}).out.starts_with("lfm "));
}

TEST_F(CommandLine, DraftsChangeTheSpeedAlone) {
  const auto said = [&](const std::string& draft) {
    return run(
        short_run({"-p", "ababababab", "-n", "60", "--ignore-eos", "--temp", "0", "--draft", draft, "--timings"}));
  };
  const Outcome off = said("off"), lookup = said("lookup");
  EXPECT_EQ(off.status, 0) << off.err;
  EXPECT_EQ(off.out, lookup.out);
  EXPECT_EQ(off.err.find("drafts: "), std::string::npos) << off.err;
  expect_usage(short_run({"-p", "x", "--draft", "16"}), "--draft: expected off, lookup or model");
  expect_usage(short_run({"-p", "x", "--draft-max", "16"}), "--draft-max: lfm finds out");
}

TEST_F(CommandLine, DraftNetworksChangeTheSpeedAlone) {
  const std::string draft = model_.folder().write("tiny-DSpark-F32.gguf", tiny_draft().build());
  const auto said = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"-p", "abc", "-n", "60", "--ignore-eos", "--temp", "0", "--timings"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(short_run(arguments));
  };
  const Outcome off = said({"--draft", "off"}), model = said({"-md", draft});
  EXPECT_EQ(off.status, 0) << off.err;
  EXPECT_EQ(model.status, 0) << model.err;
  EXPECT_EQ(off.out, model.out);
  EXPECT_NE(off.err.find("a draft network lies beside the model: with -md "), std::string::npos) << off.err;
  EXPECT_EQ(model.err.find("lies beside"), std::string::npos) << model.err;
  for (const std::string command : {"run", "chat", "serve"}) {
    expect_usage({command, "-m", model_.path(), "--draft", "model"},
                 "--draft model needs a draft network: name its file with -md");
  }
  const std::string cut = model_.folder().write("cut.gguf", tiny_draft().build().substr(0, 20000));
  for (const std::string& wrong : {cut, std::string("/nowhere/draft.gguf")}) {
    const Outcome outcome = run(short_run({"-p", "x", "-md", wrong}));
    EXPECT_EQ(outcome.status, 1) << outcome.err;
    EXPECT_TRUE(outcome.err.starts_with("lfm: " + wrong + ": ")) << outcome.err;
    EXPECT_EQ(outcome.err.find(wrong, 6), std::string::npos) << outcome.err;
  }
  expect_failure(short_run({"-p", "x", "-md", model_.path()}), "is a model by itself (lfm2moe)");
  expect_failure({"run", "-m", draft, "-p", "x", "--pack-cache", "off"}, "guesses what another model says next");
  expect_usage({"perplexity", "-m", model_.path(), "-md", draft}, "-md: chat, run, serve and bench alone");
}

TEST_F(CommandLine, MissingModels) {
  model_.folder().write("ids", "1 2 3\n");
  for (const auto& arguments : with_model("/nowhere/model.gguf")) expect_failure(arguments, "/nowhere/model.gguf");
  for (const auto& arguments : with_model("/nowhere/model.gguf")) expect_failure(arguments, "there is no such file");
}

TEST_F(CommandLine, FoldersAndOtherFilesAsModels) {
  model_.folder().write("ids", "1 2 3\n");
  for (const auto& arguments : with_model(model_.folder().path("."))) expect_failure(arguments, "is a folder");
  const std::string text = model_.folder().write("text", "This is no model, but a letter to a friend.\n");
  for (const auto& arguments : with_model(text)) expect_failure(arguments, "");
  const std::string empty = model_.folder().write("empty", "");
  for (const auto& arguments : with_model(empty)) expect_failure(arguments, "empty: the file is empty; if it was");
  // What is said of a part of the file names the file too.
  const std::string cut = model_.folder().write("cut.gguf", read_all(model_.path()).substr(0, 20000));
  for (const auto& arguments : with_model(cut)) expect_failure(arguments, "cut.gguf: ");
}

TEST_F(CommandLine, UnreadableModels) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  model_.folder().write("ids", "1 2 3\n");
  ASSERT_EQ(::chmod(model_.path().c_str(), 0), 0);
  for (const auto& arguments : with_model(model_.path())) expect_failure(arguments, "Permission denied");
}

TEST_F(CommandLine, AnEmptyTextToCalibrateWithIsTold) {
  const std::string out = model_.folder().path("small.gguf");
  expect_failure({"quantize", model_.path(), "-o", out, "--calibrate", "/dev/null"},
                 "--calibrate: a text of 0 tokens; at least 16 are needed");
  EXPECT_FALSE(std::filesystem::exists(out));
}

// The same as one file, but for what one file's end and the next one's beginning would make together.
TEST_F(CommandLine, FilesToCalibrateWithAreTextsOfTheirOwn) {
  const std::string some = "a b a b a b a b", more = "b b a a b b a a";
  const std::string first = model_.folder().write("first", some), second = model_.folder().write("second", more);
  const std::string begin = "<|startoftext|>";
  const std::string both = model_.folder().write("both", some + begin + more);
  const auto made_with = [&](const std::vector<std::string>& texts) {
    const std::string out = model_.folder().path("small.gguf");
    std::vector<std::string> arguments = {"quantize", model_.path(), "-o", out, "--force"};
    for (const std::string& text : texts) arguments.insert(arguments.end(), {"--calibrate", text});
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return read_all(out);
  };
  const std::string made = made_with({first, second});
  EXPECT_EQ(made, made_with({both}));
  EXPECT_EQ(made, made_with({first, model_.folder().write("begun", begin + more)}));
  EXPECT_NE(made, made_with({model_.folder().write("joined", some + more)}));
}

TEST_F(CommandLine, ATextOfLessThanTwoWindowsIsTold) {
  const auto expect_told = [&](const std::string& text, const std::string& words) {
    expect_failure(
        {"perplexity", "-m", model_.path(), "--pack-cache", "off", "-f", model_.folder().write("text", text)}, words);
  };
  expect_told("aaaaaaaaaaaaaaaaaaa", "a text of 20 tokens; two windows are 1024; -c 10 makes them short enough\n");
  expect_told("a", "a text of 2 tokens; two windows are 1024\n");
}

TEST_F(CommandLine, FilesBesideTheModelAreNamedWhereTheyAreWrong) {
  const std::string out = model_.folder().path("small.gguf");
  const std::string matrix = model_.folder().write("matrix.gguf", TinyModel{}.build());
  expect_failure({"quantize", model_.path(), "-o", out, "--imatrix", matrix}, "matrix.gguf: general.type: ");
  const std::string exam =
      model_.folder().write("exam.jsonl", "{\"text\": \"a\", \"expect\": \"b\"}\n{\"text\": \"a\"}\n");
  expect_failure({"perplexity", "-m", model_.path(), "--exam", exam},
                 "exam.jsonl:2: a question needs the text \"expect\"");
  expect_usage({"quantize", model_.path(), "-o", out, "--mix", "foo"},
               "--mix: expected auto, none, or bits a weight such as 4.8, not 'foo'");
}

TEST_F(CommandLine, AnExamsQuestionsMayBeLongerThanTheContext) {
  const std::string question(50000, 'a');
  const std::string exam = model_.folder().write(
      "exam.jsonl", "{\"text\": \"" + question +
                        "\", \"expect\": \"b\", \"match\": \"contains\"}\n{\"text\": \"a\", \"expect\": \"\", "
                        "\"match\": \"ends\", \"max_tokens\": 1}\n");
  const Outcome outcome =
      run({"perplexity", "-m", model_.path(), "--exam", exam, "-ctk", "q8_0", "--pack-cache", "off"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("of     2"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.err.find("note: 1 of them, which count as wrong"), std::string::npos) << outcome.err;
}

TEST_F(CommandLine, APartOfASplitModelIsTheModel) {
  const auto parts = split(TinyModel{}.builder(), 2);
  for (std::size_t i = 0; i < 2; ++i) model_.folder().write(part_name("split", i, 2), parts[i].build());
  const std::string path = model_.folder().path(part_name("split", 1, 2));
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"run", "-m", path, "-p", "Hello", "-n", "2", "--pack-cache", "off"},
        {"chat", "-m", path, "-p", "Hello", "-n", "2", "--pack-cache", "off"},
        {"bench", "-m", path, "-p", "1", "-n", "1", "-r", "1", "--pack-cache", "off"},
        {"inspect", path},
        {"tokenize", "-m", path},
        {"pack", path, "-o", model_.folder().path("split.lfm"), "--force"}}) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 0) << testing::PrintToString(arguments) << outcome.err;
  }
  std::filesystem::remove(model_.folder().path(part_name("split", 0, 2)));
  expect_failure({"inspect", path}, part_name("split", 0, 2));
}

TEST_F(CommandLine, C15_NumbersOutOfRange) {
  const std::vector<std::vector<std::string>> options = {
      {"-t", "0"},       {"-t=-1"},        {"-t", "100000"},   {"-t", "2x"},       {"-c", "-1"},
      {"-c=-5"},         {"-n=-2"},        {"-n", "x"},        {"--temp", "nan"},  {"--temp=-1"},
      {"--temp", "inf"}, {"--top-p", "2"}, {"--top-k=-5"},     {"--min-p", "1.5"}, {"--repeat-penalty", "0"},
      {"--seed", "1e9"}, {"--seed=-2"},    {"--load", "disk"}, {"--dense", "gpu"}};
  for (const auto& option : options) {
    std::vector<std::string> arguments = {"run", "-m", "/nowhere/model.gguf", "-p", "Hello"};
    arguments.insert(arguments.end(), option.begin(), option.end());
    expect_usage(arguments);
    arguments[0] = "chat";
    expect_usage(arguments);
  }
  expect_usage({"chat", "-m", "x", "--thinking", "loudly"}, "--thinking");
  expect_usage({"chat", "-m", "x", "--thinking-budget=-2"}, "--thinking-budget");
  expect_usage({"chat", "-m", "x", "--form", "llama"}, "--form");
  expect_usage({"logits", "-m", "x", "--ids", "y", "--out", "z", "--chunk", "5000"}, "--chunk");
  expect_failure(short_run({"-c", "1", "-p", "Hello"}), "the context room for 1");
  EXPECT_EQ(run(short_run({"-n", "0", "-p", "Hello"})).status, 0);
  expect_usage({"bench", "-m", "x", "--sustained", "nan"}, "--sustained: expected a number from 0.001");
  expect_usage({"run", "-m", "x", "-c", "99999999999999999999999"},
               "--ctx-size: expected a whole number from 0 to 9007199254740992, not '9");
  expect_usage({"run", "-m", "x", "-s", std::string(500, 'y') + "\n"}, "yyy...'\n");
}

TEST_F(CommandLine, HabitsOfLlamaCpp) {
  const std::string plain = run(short_run({"-n", "8", "-p", "Hello"})).out;
  EXPECT_EQ(run(short_run({"-n", "8", "-p", "Hello", "-c", "0", "--top-k", "-1"})).out, plain);
  EXPECT_EQ(run(short_run({"--n-predict", "8", "-p", "Hello", "-s", "-1"})).out, plain);
  EXPECT_EQ(run(model_.chat({"-n", "8", "-p", "Hello", "-sys", "Be brief."})).out,
            run(model_.chat({"-n", "8", "-p", "Hello", "--system", "Be brief."})).out);
  EXPECT_EQ(run(model_.chat({"-n", "8", "-p", "-ngl"})).status, 0) << "a text";
  EXPECT_EQ(run(model_.chat({"-n", "8", "-p", "Hello", "--thinking-budget", "-1"})).status, 0);
  expect_usage(short_run({"-p", "Hello", "-ngl", "99"}), "-ngl: lfm computes on the CPU alone; leave it out\n");
  expect_usage(short_run({"-p", "Hello", "--n-gpu-layers=99"}), "--n-gpu-layers");
  EXPECT_EQ(run(short_run({"-n", "8", "-p", "Hello", "-ctk", "f16", "-ctv", "f16"})).out, plain);
  EXPECT_EQ(run(short_run({"-n", "8", "-p", "Hello", "-ctk", "q8_0", "--cache-type-v", "q8_0"})).status, 0);
  EXPECT_EQ(run(short_run({"-n", "8", "-p", "Hello", "-tb", "3"})).out, plain);
  EXPECT_EQ(run(short_run({"-n", "8", "-p", "Hello", "--threads-batch", "2"})).out, plain);
  expect_usage(short_run({"-p", "Hello", "-tb", "0"}), "--threads-batch");
  expect_usage({"quantize", "a", "-o", "b", "-tb", "2"}, "-t is for prompts too");
  expect_usage(short_run({"-p", "Hello", "-ctk", "q4_0"}), "q4_0");
  expect_usage({"tokenize", "-m", "x", "-ctk", "q8_0"}, "-ctk: only what runs a model keeps keys and values");
  expect_usage(short_run({"-p", "Hello", "-cram", "1"}), "-cram: 'lfm serve' is the server");
  expect_usage(short_run({"-p", "Hello", "-mmproj", "x"}), "-mmproj: lfm reads text alone");
  EXPECT_EQ(run(short_run({"-n", "8", "-p", "Hello", "-r", "\x01"})).out, plain) << "--stop";
  expect_usage({"chat", "-m", "x", "-r", "User:"}, "-r: lfm run has --stop");
  expect_usage({"tokenize", "-m", "x", "-v"}, "-v: lfm run and lfm chat have --timings");
}

TEST_F(CommandLine, WhatACommandHasItselfIsNoHabit) {
  const Outcome bench =
      run({"bench", "-m", model_.path(), "--pack-cache", "off", "-p", "1", "-n", "0", "-r", "1", "--no-warmup"});
  EXPECT_EQ(bench.status, 0) << bench.err;
  expect_usage(short_run({"-p", "Hello", "--no-warmup"}), "--no-warmup: lfm bench alone");
}

TEST_F(CommandLine, PenaltiesOfThreeKinds) {
  const auto text = [&](const std::vector<std::string>& penalty) {
    std::vector<std::string> words = {"-n", "40",          "-p", "Hello", "--temp", "0", "--repeat-penalty",
                                      "1",  "--ignore-eos"};
    words.insert(words.end(), penalty.begin(), penalty.end());
    const Outcome outcome = run(short_run(words));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    return outcome.out;
  };
  const std::string plain = text({});
  EXPECT_EQ(text({"--presence-penalty", "0", "--frequency-penalty", "0"}), plain);
  EXPECT_NE(text({"--presence-penalty", "100"}), plain);
  EXPECT_NE(text({"--frequency-penalty", "100"}), plain);
  EXPECT_EQ(run(model_.chat({"-n", "4", "-p", "Hello", "--presence-penalty=-1", "--frequency-penalty", "1"})).status,
            0);
  expect_usage({"run", "-m", "x", "--presence-penalty", "1e3"},
               "--presence-penalty: expected a number from -100 to 100");
}

TEST_F(CommandLine, QuantizeAsLlamaQuantizeIsTyped) {
  const std::string out = model_.folder().path("q.gguf");
  const auto bytes_of = [&](const std::vector<std::string>& words) {
    const Outcome outcome = run(words);
    EXPECT_EQ(outcome.status, 0) << testing::PrintToString(words) << outcome.err;
    std::string bytes = read_all(out);
    std::filesystem::remove(out);
    return bytes;
  };
  const std::string bytes = bytes_of({"quantize", model_.path(), "-o", out, "--type", "q8_0"});
  EXPECT_FALSE(bytes.empty());
  EXPECT_EQ(bytes_of({"quantize", model_.path(), out, "Q8_0", "1"}), bytes);
  EXPECT_EQ(bytes_of({"quantize", "-m", model_.path(), "-o", out, "--type", "Q8_0"}), bytes);
  EXPECT_EQ(bytes_of({"convert", "--model=" + model_.path(), "-o", out, "--type", "q8_0"}), bytes);
  EXPECT_EQ(bytes_of({"quantize", "-t", "1", "--force", model_.path(), out, "q8_0"}), bytes);
  expect_usage({"quantize", "in.gguf", "out.gguf", "Q2_K"}, "--type: Q2_K not in {q4_0");
  expect_usage({"quantize", "in.gguf", "q4_0"}, "--out is required");
  expect_usage({"quantize", "in.gguf", "-o", "out.gguf", "Q4_0"}, "Q4_0: what is it? The file to write goes behind -o");
}

TEST_F(CommandLine, C16_WrongUsage) {
  expect_usage({});
  expect_usage({"frobnicate"}, "frobnicate");
  for (const std::string command : {"run", "chat", "bench", "pack", "inspect", "tokenize", "detokenize", "logits"}) {
    expect_usage({command}, command == "logits" ? "--ids" : "name the model: 'lfm " + command + " FILE'");
    expect_usage({command, "--no-such-option"});
  }
  expect_usage({"run", "-m"}, "--model");
  expect_usage({"run", "-m", "a", "-m", "b", "-p", "x"}, "--model");
  expect_usage({"run", "-m", "a", "-p", "x", "-f", "y"}, "--file");
  expect_usage({"chat", "-m", "a", "-p", "x", "--json"}, "--json");
  expect_usage({"pack", "a"}, "--out");
  expect_usage({"tokenize", "-m", "a", "hello"}, "hello: lfm tokenize reads standard input");
  expect_usage({"schema"}, "FILE with a JSON schema, --tools or --regex is required");
  expect_usage({"help", "nosuch"}, "nosuch: no such command");
  expect_usage({"pack", "a", "--verify", "-o", "b"}, "--out");
  std::vector<std::string> many = {"run", "-m", "a"};
  for (int n = 0; n < 20000; ++n) many.emplace_back("--ignore-eos");
  many.emplace_back("--no-such-option");
  expect_usage(many);
}

TEST_F(CommandLine, C20_ACacheThatCannotBeWrittenIsANote) {
  std::vector<std::string> arguments = {"run", "-m", model_.path(), "-t", "1", "-n", "2", "-p", "Hello"};
  std::vector<Variable> environment = model_.environment();
  environment.push_back({"HOME", ""});
  environment.push_back({"XDG_CACHE_HOME", ""});
  const Outcome outcome = run_program({.arguments = arguments, .environment = environment});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "lfm: note: packed weights aren't kept: HOME isn't set\n");
}

}  // namespace
}  // namespace lfm::test
