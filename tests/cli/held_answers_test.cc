// Answers that are held to schemas, patterns and tools.
#include <gtest/gtest.h>

#include "command_line.h"

namespace lfm::test {
namespace {

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
  EXPECT_EQ(pattern.err.find("-n allows more"), std::string::npos) << "whole: " << pattern.err;
  for (const std::string command : {"run", "chat"}) {
    const Outcome cut = run(model_.command(command, {"-p", "Hello", "-j", schema, "-n", "2"}));
    EXPECT_EQ(cut.status, 0) << cut.err;
    EXPECT_NE(cut.err.find("2 tokens"), std::string::npos) << "what is cut is no JSON: " << cut.err;
    EXPECT_NE(cut.err.find("; -n allows more\n"), std::string::npos) << cut.err;
  }
}

TEST_F(CommandLine, TextsAreJudgedAsTheSchemasDraftHasFormats) {
  const std::string good = model_.folder().write("good.json", "\"2026-11-29\"\n");
  const std::string other = model_.folder().write("other.json", "\"soon\"");
  const std::string held = model_.folder().write("held.json", R"({"type": "string", "format": "date"})");
  const std::string remark = model_.folder().write(
      "remark.json",
      R"({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "string", "format": "date"})");
  const Outcome refused = run({"schema", held, "--check", other, good});
  EXPECT_EQ(refused.out, "refused at byte 1 of " + other + "\nallowed " + good + "\n");
  EXPECT_EQ(refused.status, 1) << "for scripts";
  EXPECT_EQ(refused.err, "");
  EXPECT_EQ(run({"schema", held, "--check", good}).status, 0);
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
  says({"-j", R"({"properties": {"a": {"$dynamicRef": "#b"}}})"},
       "--json-schema: /properties/a/$dynamicRef: \"$dynamicRef\" can't be held");
  says({"-j", R"({"type": "obj)"}, "--json-schema: this isn't JSON");
  says({"-j", R"({"type": "string", "maxLength": 1, "minLength": 2})"}, "--json-schema: nothing satisfies the schema");
  says({"--regex", "(a"}, "--regex: ");
  says({"-jf", "/no/schema"}, "/no/schema: cannot open");
  const std::string file = model_.folder().write("odd.json", R"({"$dynamicRef": "#a"})");
  says({"--json-schema", file}, file + ": /$dynamicRef: ");
  expect_usage({"run", "-m", model_.path(), "-p", "a", "-j", "{}", "--regex", "a"}, "--regex");
  expect_usage({"run", "-m", model_.path(), "-p", "a", "-j", "{}", "--ignore-eos"}, "--ignore-eos");
}

}  // namespace
}  // namespace lfm::test
