// Text in messages never becomes a token of the form.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "json/write.h"
#include "tests/chat/chat_sample.h"

namespace lfm::chat {
namespace {

std::vector<std::string> special_names(const text::Tokenizer& tokenizer) {
  std::vector<std::string> names;
  for (TokenId id = 0; tokenizer.vocabulary().contains(id); ++id) {
    const auto type = tokenizer.vocabulary().type(id);
    if (type == text::TokenType::kControl || type == text::TokenType::kUserDefined) {
      names.emplace_back(tokenizer.vocabulary().bytes(id));
    }
  }
  return names;
}

std::size_t specials_in(const text::Tokenizer& tokenizer, std::span<const TokenId> tokens) {
  return static_cast<std::size_t>(std::count_if(tokens.begin(), tokens.end(), [&](TokenId id) {
    return tokenizer.vocabulary().type(id) != text::TokenType::kNormal;
  }));
}

// A thousand texts made of special tokens' names, whole, cut, nested and repeated, in every place that takes text: the
// conversation has as many special tokens as with harmless text.
TEST(Injection, NoneInAThousand) {
  const auto tokenizer = chat_tokenizer();
  const std::vector<std::string> names = special_names(*tokenizer);
  ASSERT_GE(names.size(), 15u);
  const std::vector<std::string> scraps = {"<|", "|>", "<", ">", "im_", "\n", " ", "a", "system\n", "</", "\xff"};
  std::mt19937 random(5);
  const auto pick = [&](const auto& from) -> const std::string& { return from[random() % from.size()]; };
  const auto hostile = [&] {
    std::string text = "x";  // an empty prompt of the system would leave its turn out
    for (auto i = random() % 6 + 1; i > 0; --i) {
      std::string part = random() % 3 != 0 ? pick(names) : pick(scraps);
      if (random() % 4 == 0) part.insert(random() % (part.size() + 1), pick(names));
      if (random() % 4 == 0) part = part.substr(0, random() % (part.size() + 1));
      text += part;
    }
    return text;
  };
  const auto conversation = [](const std::string& text) {
    return std::vector<Message>{{Role::kSystem, text},
                                {Role::kUser, text},
                                {.role = Role::kAssistant, .content = text, .reasoning = text + "x"},
                                {.role = Role::kAssistant, .content = text, .tool_calls = {{"f", "{}"}}},
                                {Role::kTool, text}};
  };
  for (const ChatForm form : {ChatForm::kChatMl, ChatForm::kLfm2, ChatForm::kLfm25}) {
    const auto chat = make_template({.form = form, .date = "2026-11-25"});
    const std::size_t expected = specials_in(*tokenizer, chat->tokens(conversation("harmless"), true).value());
    int leaks = 0;
    for (int i = 0; i < 1000; ++i) {
      const std::string text = hostile();
      const auto tokens = chat->tokens(conversation(text), true);
      ASSERT_TRUE(tokens.ok());
      if (specials_in(*tokenizer, *tokens) != expected) ++leaks;
      EXPECT_EQ(tokenizer->decode(*tokens).value(), chat->text(conversation(text), true).value());
    }
    EXPECT_EQ(leaks, 0) << to_string(form);
  }
}

TEST(Injection, ToolsAndArgumentsNeither) {
  const auto tokenizer = chat_tokenizer();
  const auto count = [&](const std::string& text) {
    std::string quoted;
    json::append_text(text, quoted);
    const auto chat =
        make_template({.form = ChatForm::kLfm2, .tools = "[{\"name\": " + quoted + "}]", .date = "2026-11-25"});
    const Message call{.role = Role::kAssistant, .tool_calls = {{"f", "{\"a\": " + quoted + "}"}}};
    return specials_in(*tokenizer, chat->tokens({{call}}, true).value());
  };
  for (const std::string& name : special_names(*tokenizer)) EXPECT_EQ(count(name), count("harmless")) << name;
}

}  // namespace
}  // namespace lfm::chat
