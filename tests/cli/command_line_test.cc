// The command line's habits: exit statuses and messages of every command. Names begin with the case of tests/cases
// (group C) that a test is.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "chat_model.h"
#include "support/split.h"

namespace lfm::test {
namespace {

class CommandLine : public testing::Test {
 protected:
  Outcome run(const std::vector<std::string>& arguments, const std::string& input = "") const {
    return run_program({.arguments = arguments, .input = input, .environment = model_.environment()});
  }

  // What every failure is: this status, nothing on standard output, and one line that begins with the program's name
  // and says this.
  void expect_failure(const std::vector<std::string>& arguments, const std::string& says,
                      const std::string& input = "") const {
    const Outcome outcome = run(arguments, input);
    const std::string line = testing::PrintToString(arguments);
    EXPECT_EQ(outcome.status, 1) << line << outcome.err;
    EXPECT_EQ(outcome.out, "") << line;
    EXPECT_TRUE(outcome.err.starts_with("lfm: ")) << line << outcome.err;
    EXPECT_TRUE(outcome.err.ends_with('\n')) << line << outcome.err;
    EXPECT_NE(outcome.err.find(says), std::string::npos) << line << outcome.err;
  }

  // Usage: 2, with what is wrong and where help is, before anything is loaded.
  void expect_usage(const std::vector<std::string>& arguments, const std::string& says = "") const {
    const Outcome outcome = run(arguments);
    const std::string line = testing::PrintToString(arguments);
    EXPECT_EQ(outcome.status, 2) << line << outcome.err;
    EXPECT_EQ(outcome.out, "") << line;
    EXPECT_NE(outcome.err.find("--help"), std::string::npos) << line << outcome.err;
    EXPECT_NE(outcome.err.find(says), std::string::npos) << line << outcome.err;
  }

  // Every command that opens a model, with what else it needs.
  std::vector<std::vector<std::string>> with_model(const std::string& path) const {
    return {{"run", "-m", path, "-p", "Hello", "--pack-cache", "off"},
            {"chat", "-m", path, "-p", "Hello", "--pack-cache", "off"},
            {"bench", "-m", path, "-p", "1", "-n", "0", "-r", "1", "--pack-cache", "off"},
            {"pack", path, "-o", model_.folder().path("out.lfm")},
            {"pack", path, "--verify"},
            {"inspect", path},
            {"tokenize", "-m", path},
            {"detokenize", "-m", path},
            {"logits", "-m", path, "--ids", model_.folder().path("ids"), "--out", model_.folder().path("logits")}};
  }

  std::vector<std::string> short_run(const std::vector<std::string>& more = {}) const {
    return model_.command("run", more);
  }

  ChatModel model_;
};

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

TEST_F(CommandLine, BenchSideBySide) {
  const std::vector<std::string> bench = {"bench", "-m", model_.path(), "--pack-cache", "off", "-p", "3", "-n",
                                          "4",     "-r", "2",           "-P",           "1,3"};
  for (const std::string format : {"jsonl", "json", "csv", "md"}) {
    std::vector<std::string> arguments = bench;
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
  const std::string empty = model_.folder().write("empty", "Say it:\n=== answer ===\n");
  expect_failure({"bench", "-m", model_.path(), "--pack-cache", "off", "--replay", empty}, "there is nothing to say");
  const std::string bare = model_.folder().write("bare", "Nothing is read before.\n");
  EXPECT_EQ(run({"bench", "-m", model_.path(), "--pack-cache", "off", "-r", "1", "--replay", bare}).status, 0);
  expect_usage({"bench", "-m", "x", "--draft", "off"}, "--draft requires --replay");
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
  expect_usage(short_run({"-p", "x", "--draft", "16"}), "--draft: expected off or lookup");
  expect_usage(short_run({"-p", "x", "--draft-max", "16"}), "--draft-max: lfm finds out");
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

TEST_F(CommandLine, C01_EmptyPrompts) {
  expect_failure({"chat", "-m", model_.path()}, "the question is empty");
  expect_failure({"chat", "-m", model_.path(), "-p", ""}, "the question is empty");
  expect_failure({"chat", "-m", model_.path()}, "the question is empty", "\n");
  for (const std::string prompt : {"", " ", "\n", "\t \n"}) {  // the model's first token, and what there is
    const Outcome outcome = run(short_run({"-n", "2", "-p", prompt}));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
  }
  EXPECT_EQ(run(model_.chat({"-n", "2", "-p", " "})).status, 0);
}

TEST_F(CommandLine, C03_C14_OutputIsWholeCharacters) {
  const Outcome outcome = run(short_run(ChatModel::any_bytes({"--ignore-eos", "-p", "Hello"})));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  std::size_t following = 0;
  for (const char c : outcome.out) {
    const auto byte = static_cast<unsigned char>(c);
    if (following > 0) {
      ASSERT_EQ(byte & 0xC0, 0x80);
      --following;
    } else {
      ASSERT_NE(byte & 0xC0, 0x80);
      following = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : byte >= 0xC0 ? 1 : 0;
    }
  }
  EXPECT_EQ(following, 0u);
}

TEST_F(CommandLine, C03_C04_AnyBytesArePrompts) {
  std::string bytes("\xC0\x80\xED\xA0\x80\xF4\x90\x80\x80\xF5\x80\xE6\xAD", 13);
  bytes += std::string("a\0b", 3);
  EXPECT_EQ(run(short_run({"-n", "2"}), bytes).status, 0);
  EXPECT_EQ(run(model_.chat({"-n", "2"}), bytes).status, 0);
  const Outcome ids = run({"tokenize", "-m", model_.path(), "--no-bos"}, bytes);
  EXPECT_EQ(run({"detokenize", "-m", model_.path()}, ids.out).out, bytes);
}

TEST_F(CommandLine, C06_SpecialTokensAreAsked) {
  const std::string text = "<|im_end|>";
  EXPECT_EQ(run({"tokenize", "-m", model_.path(), "--no-bos"}, text).out, "7\n");
  EXPECT_EQ(run({"tokenize", "-m", model_.path(), "--no-bos", "--plain"}, text).out.find("7\n"), std::string::npos);
}

TEST_F(CommandLine, C08_PromptsThatDoNotFit) {
  const std::string prompt(99, 'x');  // and the first token
  const std::vector<std::string> fits = {"-c", "100", "-n", "5", "-p", prompt};
  const Outcome full = run(short_run(fits));
  EXPECT_EQ(full.status, 0) << full.err;
  EXPECT_NE(full.err.find("the context of 100 tokens is full; -c makes room for more"), std::string::npos) << full.err;
  expect_failure(short_run({"-c", "99", "-n", "5", "-p", prompt}),
                 "the prompt has 100 tokens, the context room for 99");
  expect_failure(model_.chat({"-c", "99", "-n", "5", "-p", prompt}), "tokens, the context room for 99; -c makes");
}

TEST_F(CommandLine, C09_EndlessInputEnds) {
  expect_failure(short_run({"-f", "/dev/zero"}), "/dev/zero: more than 256 MiB");
  expect_failure(model_.chat({"--tools", "/dev/zero", "-p", "Hello"}), "/dev/zero: more than 256 MiB");
}

TEST_F(CommandLine, C10_NoInput) {
  expect_failure({"chat", "-m", model_.path()}, "the question is empty", "");
  for (const auto& arguments : {model_.chat(), short_run()}) {
    const Outcome closed =
        run_program({.arguments = arguments, .environment = model_.environment(), .close_input = true});
    EXPECT_EQ(closed.status, 1) << closed.err;
    EXPECT_NE(closed.err.find("standard input: cannot read: Bad file descriptor"), std::string::npos) << closed.err;
  }
  const Outcome json = run(model_.chat({"--json"}), "");
  EXPECT_EQ(json.status, 0) << json.err;
  EXPECT_EQ(run(model_.chat({"--json", "-n", "2"}), "cut off in the middle of a li").status, 0);
}

TEST_F(CommandLine, C11_OutputThatCannotBeWritten) {
  const std::string ids = model_.folder().write("ids", "1 2 3\n");
  const std::string text = model_.folder().write("text", std::string(100, 'x'));
  const std::vector<std::vector<std::string>> commands = {
      short_run({"-p", "Hello", "-n", "100000", "-c", "100000"}),
      model_.chat({"-p", "Hello", "-n", "100000", "-c", "100000"}),
      model_.chat({"--json"}),
      {"inspect", model_.path()},
      {"inspect", model_.path(), "--json"},
      {"--help"},
      {"chat", "--help"},
      {"--version"},
      {"tokenize", "-m", model_.path()},
      {"detokenize", "-m", model_.path()},
      {"bench", "-m", model_.path(), "-p", "1", "-n", "1", "-r", "1", "--pack-cache", "off"},
      {"perplexity", "-m", model_.path(), "-f", text, "-c", "16", "--pack-cache", "off"},
      {"pack", model_.path(), "-o", model_.folder().path("out.lfm"), "--force"}};
  for (const auto& arguments : commands) {
    for (const Sink sink : {Sink::kFull, Sink::kClosed}) {
      const Outcome outcome =
          run_program({.arguments = arguments, .input = "1 2 3\n", .environment = model_.environment(), .out = sink});
      const std::string line = testing::PrintToString(arguments);
      EXPECT_EQ(outcome.status, 1) << line << outcome.err;
      EXPECT_NE(outcome.err.find("cannot write to standard output"), std::string::npos) << line << outcome.err;
    }
  }
  expect_failure({"logits", "-m", model_.path(), "--ids", ids, "--out", "/dev/full", "--pack-cache", "off"},
                 "cannot write /dev/full");
  expect_failure({"logits", "-m", model_.path(), "--ids", ids, "--out", "/nowhere/x", "--pack-cache", "off"},
                 "cannot write /nowhere/x");
}

TEST_F(CommandLine, WhatIsThereIsReplacedWhenThatIsAsked) {
  const std::string ids = model_.folder().write("ids", "1 2\n"), kept = model_.folder().write("kept", "x"),
                    model = read_all(model_.path());
  std::vector<std::string> logits = {"logits", "-m", model_.path(), "--ids", ids, "--pack-cache", "off", "--out", kept};
  expect_failure(logits, "kept: is there already");
  EXPECT_EQ(read_all(kept), "x");
  logits.push_back("--force");
  EXPECT_EQ(run(logits).status, 0);
  EXPECT_GT(read_all(kept).size(), 1u);
  logits[logits.size() - 2] = model_.path();
  expect_failure(logits, "is the model itself");
  EXPECT_TRUE(read_all(model_.path()) == model);
  EXPECT_EQ(run({"logits", "-m", model_.path(), "--ids", ids, "--pack-cache", "off", "--out", "/dev/null"}).status, 0);
}

TEST_F(CommandLine, AnEmptyTextToCalibrateWithIsTold) {
  const std::string out = model_.folder().path("small.gguf");
  expect_failure({"quantize", model_.path(), "-o", out, "--calibrate", "/dev/null"}, "calibration: a text of 0 tokens");
  EXPECT_FALSE(std::filesystem::exists(out));
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

TEST_F(CommandLine, C12_EscapesStayOffTheTerminal) {
  PseudoTerminal terminal(short_run(ChatModel::any_bytes({"--ignore-eos", "-p", "Hello"})), model_.environment());
  EXPECT_EQ(terminal.wait_for_end(), 0);
  EXPECT_NE(terminal.text().find("␛"), std::string::npos);
  for (const char c : terminal.text()) {
    const auto byte = static_cast<unsigned char>(c);
    ASSERT_TRUE((byte >= 0x20 && byte != 0x7F) || byte == '\n' || byte == '\r' || byte == '\t') << int{byte};
  }
}

TEST_F(CommandLine, NamesOfFilesAreOnOneLine) {
  const std::string name = model_.folder().path("a\nb\x1b\xff");
  expect_failure(
      {"logits", "-m", model_.path(), "--ids", "/dev/null", "--out", "/nowhere/a\nb\x1b\xff", "--pack-cache", "off"},
      "cannot write /nowhere/a\xE2\x90\x8A"
      "b\xE2\x90\x9B\xEF\xBF\xBD\n");
  const Outcome outcome = run({"quantize", model_.path(), "-o", name, "--type", "q8_0"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("a\xE2\x90\x8A"
                             "b\xE2\x90\x9B\xEF\xBF\xBD: "),
            std::string::npos)
      << outcome.out;
}

TEST_F(CommandLine, C13_NamesFromFilesAreEscaped) {
  GgufBuilder file = TinyModel{}.builder();
  file.set_string("general.name",
                  "\x1b]52;c;x\x07"
                  "name");
  const std::string path = model_.folder().write("named.gguf", file.build());
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"inspect", path}, std::vector<std::string>{"inspect", path, "--json"}}) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.out.find('\x1b'), std::string::npos) << outcome.out;
    EXPECT_NE(outcome.out.find("name"), std::string::npos);
  }
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
  expect_usage(short_run({"-p", "Hello", "-ctk", "q8_0"}), "-ctk: lfm keeps keys and values as f16");
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
  expect_usage({"quantize", "in.gguf", "-o", "out.gguf", "Q4_0"}, "Q4_0: what is it? The file to write goes behind -o");
}

TEST_F(CommandLine, WhatIsSaidBesideTheTextHasItsOwnLine) {
  PseudoTerminal terminal(short_run({"-n", "8", "-p", "Hello", "--timings"}), model_.environment());
  EXPECT_EQ(terminal.wait_for_end(), 0);
  EXPECT_NE(terminal.text().find("\nprompt: 6 tokens in"), std::string::npos) << terminal.text();
  EXPECT_TRUE(run(short_run({"-n", "8", "-p", "Hello", "--timings"})).err.starts_with("prompt: "));
}

TEST_F(CommandLine, TypedInputIsAwaitedAloudAndEndsWithOneCtrlD) {
  for (const auto& arguments : {std::vector<std::string>{"tokenize", "-m", model_.path()}, short_run({"-n", "3"})}) {
    PseudoTerminal terminal(arguments, model_.environment());
    ASSERT_TRUE(terminal.wait_for("reading standard input; Ctrl-D ends it")) << terminal.text();
    terminal.type("17\r");
    ASSERT_TRUE(terminal.wait_for("17\r\n"));
    terminal.type("\x04");
    EXPECT_EQ(terminal.wait_for_end(), 0) << terminal.text();
  }
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
  EXPECT_NE(too_long.err.find("pp9000000: "), std::string::npos) << too_long.err;
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
  const Outcome none = bench(model_.path(), {"-p", "0", "-n", "0", "-o", "json"});
  EXPECT_EQ(none.out, "[\n]\n");

  const Outcome both = bench(model_.path(), {"-p", "0", "-n", "0", "-pg", "3,2", "-o", "jsonl"});
  for (const char* field : {"\"n_prompt\":3,\"n_gen\":2,", "\"limit_percent\":null,"}) {
    EXPECT_NE(both.out.find(field), std::string::npos) << both.out << both.err;
  }
  const std::size_t samples = both.out.find("\"samples_ns\":[");
  ASSERT_NE(samples, std::string::npos);
  EXPECT_EQ(both.out.substr(samples, both.out.find(']', samples) - samples).find('.'), std::string::npos) << both.out;
  expect_usage({"bench", "-m", "x", "-pg", "3,2,1"}, "--pg: the second of a pair");
  const Outcome sustained = bench(model_.path(), {"--sustained", "0.001", "-o", "json"});
  EXPECT_TRUE(sustained.out.starts_with("[\n") && sustained.out.ends_with("\n]\n")) << sustained.out;
  EXPECT_NE(sustained.out.find("\"first_percent\": 100.0"), std::string::npos) << sustained.out;
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

TEST_F(CommandLine, C17_NumbersAreWrittenWithPoints) {
  std::vector<Variable> environment = model_.environment();
  environment.push_back({"LC_ALL", "de_DE.UTF-8"});
  const auto run_with = [&](const std::string& temperature) {
    return run_program({.arguments = short_run({"-n", "3", "-p", "Hello", "--temp", temperature, "--timings"}),
                        .environment = environment});
  };
  const Outcome point = run_with("0.7");
  EXPECT_EQ(point.status, 0) << point.err;
  EXPECT_EQ(point.err.find(','), std::string::npos) << point.err;
  EXPECT_EQ(run_with("0,7").status, 2);
}

TEST_F(CommandLine, C18_InterruptsKeepWhatWasSaid) {
  const Outcome once = run_program({.arguments = short_run({"-n", "-1", "-c", "200000", "-p", "Hello", "--ignore-eos"}),
                                    .environment = model_.environment(),
                                    .signal = SIGINT,
                                    .signal_after = "e"});
  EXPECT_EQ(once.status, 130) << once.err;
  EXPECT_FALSE(once.out.empty());
  EXPECT_EQ(once.err, "");
}

TEST_F(CommandLine, C18_InterruptsOfLongWorkAreTold) {
  const auto interrupted = [&](const std::vector<std::string>& arguments, const std::string& after) {
    return run_program(
        {.arguments = arguments, .environment = model_.environment(), .signal = SIGINT, .signal_after = after});
  };
  const std::string text = model_.folder().write("text", std::string(1000000, 'x'));
  const Outcome perplexity =
      interrupted({"perplexity", "-m", model_.path(), "-f", text, "-c", "16", "--pack-cache", "off"}, "[1]");
  EXPECT_EQ(perplexity.status, 130);
  EXPECT_EQ(perplexity.err, "lfm: interrupted; the same command begins anew\n");
  const Outcome bench = interrupted({"bench", "-m", model_.path(), "--pack-cache", "off", "-t", "1", "-o", "jsonl",
                                     "-p", "1,200000", "-n", "0", "-r", "1", "--no-warmup"},
                                    "{");
  EXPECT_EQ(bench.status, 130);
  EXPECT_EQ(bench.err, "lfm: interrupted; the same command begins anew\n");
}

TEST_F(CommandLine, C19_TerminationEndsIt) {
  const Outcome ended =
      run_program({.arguments = short_run({"-n", "-1", "-c", "200000", "-p", "Hello", "--ignore-eos"}),
                   .environment = model_.environment(),
                   .signal = SIGTERM,
                   .signal_after = "e"});
  EXPECT_EQ(ended.status, 128 + SIGTERM) << ended.err;
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

TEST_F(CommandLine, AnswersAreHeldToSchemasAndPatterns) {
  const std::string schema =
      R"({"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"], "additionalProperties": false})";
  const std::string file = model_.folder().write("ok.json", schema);
  for (const std::vector<std::string>& option : {std::vector<std::string>{"-j", schema},
                                                 {"--json-schema", file},
                                                 {"-jf", file},
                                                 {"--json-schema-file=" + file}}) {
    for (const std::string command : {"run", "chat"}) {
      std::vector<std::string> arguments = {"-p", "Hello"};
      arguments.insert(arguments.end(), option.begin(), option.end());
      const Outcome outcome = run(model_.command(command, arguments));
      EXPECT_EQ(outcome.status, 0) << outcome.err;
      const std::string text = outcome.out.substr(0, outcome.out.find('\n'));
      EXPECT_TRUE(text == "{\"ok\": true}" || text == "{\"ok\": false}") << option[0] << ": " << outcome.out;
    }
  }
  const Outcome pattern = run(short_run({"-p", "Hello", "--regex", "-[ab]{3}"}));
  EXPECT_EQ(pattern.out.size(), 4u) << pattern.out << pattern.err;
}

TEST_F(CommandLine, TextsAreJudgedAsTheSchemasDraftHasFormats) {
  const std::string good = model_.folder().write("good.json", "\"2026-11-29\"\n");
  const std::string other = model_.folder().write("other.json", "\"soon\"");
  const std::string held = model_.folder().write("held.json", R"({"type": "string", "format": "date"})");
  const std::string remark = model_.folder().write(
      "remark.json",
      R"({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "string", "format": "date"})");
  EXPECT_EQ(run({"schema", held, "--check", good, other}).out,
            "allowed " + good + "\nrefused at byte 1 of " + other + "\n");
  EXPECT_EQ(run({"schema", remark, "--check", good, other}).out,
            "allowed " + good + "\nallowed " + other +
                ", by a draft to which formats are remarks: answers hold to them, and differ at byte 1\n");
}

TEST_F(CommandLine, CallsAreHeldToTools) {
  const std::string tools = model_.folder().write("tools.json", R"([{"name": "stop"}, {"name": "wait"}])");
  const std::vector<std::string> named = {"-p", "Hello", "--tools", tools, "--tool-choice", "wait", "--temp", "0"};
  EXPECT_TRUE(run(model_.chat(named)).out.starts_with("wait()\n"));
  EXPECT_NE(run(short_run(named)).out.find("[wait()"), std::string::npos);
  EXPECT_FALSE(run(model_.chat({"-p", "Hello", "--tools", tools, "--tool-choice", "none", "-n", "5"})).out.empty());
  expect_failure({"chat", "-m", model_.path(), "-p", "a", "--tools", tools, "--tool-choice", "go"},
                 "--tool-choice: there is no tool \"go\"");
  expect_usage({"chat", "-m", model_.path(), "-p", "a", "--tool-choice", "auto"}, "--tools");
}

TEST_F(CommandLine, WhatCannotBeHeldIsSaidWithItsPlace) {
  const auto says = [&](const std::vector<std::string>& option, const std::string& what) {
    std::vector<std::string> arguments = {"run", "-m", model_.path(), "-p", "Hello"};
    arguments.insert(arguments.end(), option.begin(), option.end());
    expect_failure(arguments, what);
  };
  says({"-j", R"({"properties": {"a": {"contains": {}}}})"},
       "--json-schema: /properties/a/contains: \"contains\" can't be held");
  says({"-j", R"({"type": "obj)"}, "--json-schema: this isn't JSON");
  says({"-j", R"({"type": "string", "maxLength": 1, "minLength": 2})"}, "--json-schema: nothing satisfies the schema");
  says({"--regex", "(a"}, "--regex: ");
  says({"-jf", "/no/schema"}, "/no/schema: cannot open");
  const std::string file = model_.folder().write("odd.json", R"({"contains": {}})");
  says({"--json-schema", file}, file + ": /contains: ");
  expect_usage({"run", "-m", model_.path(), "-p", "a", "-j", "{}", "--regex", "a"}, "--regex");
  expect_usage({"run", "-m", model_.path(), "-p", "a", "-j", "{}", "--ignore-eos"}, "--ignore-eos");
}

TEST_F(CommandLine, TokensAreChecked) {
  expect_failure({"detokenize", "-m", model_.path()}, "ids: not a token id (index 1, at byte 2)", "1 x");
  expect_failure({"detokenize", "-m", model_.path()}, "index 0", "99999999");
  const std::string ids = model_.folder().write("ids", "1 2\n3 nope\n");
  expect_failure(
      {"logits", "-m", model_.path(), "--ids", ids, "--out", model_.folder().path("l"), "--pack-cache", "off"},
      "line 2");
}

}  // namespace
}  // namespace lfm::test
