// The program itself, run as a person or a script does it.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "chat_model.h"
#include "support/tiny_draft.h"

namespace lfm::test {

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

  // A draft network for that model.
  static TinyDraft tiny_draft() {
    TinyDraft draft;
    draft.taps = {1, 2};
    return draft;
  }

  ChatModel model_;
};

}  // namespace lfm::test
