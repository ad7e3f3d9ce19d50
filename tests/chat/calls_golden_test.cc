// A thousand calls spelt by Python (make_calls.py), to JSON and back.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/chat/chat_sample.h"

namespace lfm::chat {
namespace {

using Json = nlohmann::ordered_json;

struct Case {
  std::string text;
  std::vector<ToolCall> calls;
};

std::vector<Case> read_cases() {
  std::vector<Case> cases;
  std::ifstream lines(std::string(LFM_CHAT_DATA) + "/calls.jsonl");
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line);
    Case one{json["text"], {}};
    for (const Json& call : json["calls"]) one.calls.push_back({call["name"], call["arguments"]});
    cases.push_back(std::move(one));
  }
  return cases;
}

std::vector<ToolCall> calls_in(std::string_view text, std::size_t cut) {
  CallStream stream;
  Collector collector;
  stream.push(text.substr(0, cut), collector);
  stream.push(text.substr(cut), collector);
  stream.finish(false, collector);
  EXPECT_EQ(stream.malformed(), 0u) << text;
  return collector.message.tool_calls;
}

TEST(CallsGolden, AllAreReadAsPythonReadsThem) {
  std::size_t count = 0;
  for (const Case& one : read_cases()) {
    EXPECT_EQ(calls_in(one.text, 0), one.calls) << one.text;
    count += one.calls.size();
  }
  EXPECT_EQ(count, 1000u);
}

TEST(CallsGolden, WhereverTheTextIsCut) {
  const std::vector<Case> cases = read_cases();
  for (std::size_t i = 0; i < cases.size(); i += 8) {
    for (std::size_t cut = 0; cut <= cases[i].text.size(); ++cut) {
      ASSERT_EQ(calls_in(cases[i].text, cut), cases[i].calls) << cases[i].text << "\ncut at " << cut;
    }
  }
}

// Written into a conversation as LFM2.5 has them, and read again.
TEST(CallsGolden, WhatIsWrittenIsReadAsTheSame) {
  const auto chat = make_template({.form = ChatForm::kLfm25});
  for (const Case& one : read_cases()) {
    const std::vector<Message> messages = {{.role = Role::kAssistant, .tool_calls = one.calls}};
    const auto tokens = chat->tokens(messages, false);
    ASSERT_TRUE(tokens.ok()) << tokens.error().describe();
    // Behind <|startoftext|><|im_start|>assistant\n, and before <|im_end|>\n.
    const auto header = chat->tokens({}, true);
    AnswerReader reader(chat->tokenizer());
    Collector collector;
    for (std::size_t i = header->size(); i + 2 < tokens->size(); ++i) reader.push((*tokens)[i], collector);
    reader.finish(collector);
    EXPECT_EQ(collector.message.tool_calls, one.calls) << chat->text(messages, false).value();
    EXPECT_EQ(collector.pieces.size(), one.calls.size());
  }
}

}  // namespace
}  // namespace lfm::chat
