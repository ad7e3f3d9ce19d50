// Conversations as the models' own templates write them: data/*.golden.jsonl hold what Jinja made of them.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/chat/chat_sample.h"

namespace lfm::chat {
namespace {

using Json = nlohmann::ordered_json;

Role role_of(const std::string& name) {
  for (const Role role : {Role::kSystem, Role::kUser, Role::kAssistant, Role::kTool}) {
    if (name == to_string(role)) return role;
  }
  throw std::invalid_argument(name);
}

Message message_of(const Json& json) {
  Message message{.role = role_of(json.at("role"))};
  if (json.at("content").is_string()) {
    message.content = json["content"];
  } else {
    for (const Json& part : json["content"]) message.content += part.at("text").get<std::string>();
  }
  message.reasoning = json.value("thinking", "");
  for (const Json& call : json.value("tool_calls", Json::array())) {
    message.tool_calls.push_back({call["function"]["name"], call["function"]["arguments"].dump()});
  }
  return message;
}

// Returns how many cases there were.
int check_cases(const std::string& file, ChatForm form) {
  std::ifstream lines(std::string(LFM_CHAT_DATA) + "/" + file);
  int cases = 0;
  for (std::string line; std::getline(lines, line); ++cases) {
    const Json json = Json::parse(line);
    ChatOptions options{.form = form};
    if (!json["tools"].is_null()) options.tools = json["tools"].dump();
    options.date = json.value("date", "");
    options.preserve_thinking = json.value("preserve_thinking", false);
    std::vector<Message> messages;
    for (const Json& message : json["messages"]) messages.push_back(message_of(message));
    for (const Thinks thinks : {Thinks::kToken, Thinks::kNoToken}) {
      const auto chat = make_template(options, thinks);
      const auto text = chat->text(messages, json["add_generation_prompt"]);
      EXPECT_TRUE(text.ok() && *text == json["text"].get<std::string>()) << line << "\n" << (text.ok() ? *text : "");
      // The tokens say the same, and those of the form are tokens.
      const auto tokens = chat->tokens(messages, json["add_generation_prompt"]);
      EXPECT_TRUE(tokens.ok() && chat->tokenizer().decode(*tokens).value() == *text) << line;
    }
  }
  return cases;
}

TEST(FormGolden, Lfm2) {
  EXPECT_EQ(check_cases("lfm2.golden.jsonl", ChatForm::kLfm2), 12);
}

TEST(FormGolden, Lfm25) {
  EXPECT_EQ(check_cases("lfm2.5.golden.jsonl", ChatForm::kLfm25), 22);
}

}  // namespace
}  // namespace lfm::chat
