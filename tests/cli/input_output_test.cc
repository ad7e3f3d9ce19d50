// What commands read and write: any bytes, terminals, streams that are closed or full, interrupts. Names begin with the
// case of tests/cases (group C) that a test is.
#include <gtest/gtest.h>
#include <signal.h>

#include "command_line.h"

namespace lfm::test {
namespace {

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
  const Outcome json = interrupted({"bench", "-m", model_.path(), "--pack-cache", "off", "-t", "1", "-o", "json", "-p",
                                    "1,200000", "-n", "0", "-r", "1", "--no-warmup"},
                                   "}");
  EXPECT_EQ(json.status, 130);
  EXPECT_TRUE(json.out.starts_with("[\n") && json.out.ends_with("}\n]\n")) << json.out;
}

TEST_F(CommandLine, C19_TerminationEndsIt) {
  const Outcome ended =
      run_program({.arguments = short_run({"-n", "-1", "-c", "200000", "-p", "Hello", "--ignore-eos"}),
                   .environment = model_.environment(),
                   .signal = SIGTERM,
                   .signal_after = "e"});
  EXPECT_EQ(ended.status, 128 + SIGTERM) << ended.err;
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
