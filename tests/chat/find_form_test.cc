// Which form a template is of, by what is in it.
#include <gtest/gtest.h>

#include "chat/form.h"

namespace lfm::chat {
namespace {

const std::string kTurns =
    "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n";

TEST(FindForm, Lfm2) {
  const auto found = find_form("List of tools: <|tool_list_start|>[..]<|tool_list_end|>" + kTurns +
                               "<|tool_response_start|>{% if add_generation_prompt %}<|im_start|>assistant\n");
  EXPECT_EQ(found.form.name, ChatForm::kLfm2);
  EXPECT_TRUE(found.form.tool_tokens && found.form.response_tokens && found.form.first_token);
  EXPECT_FALSE(found.form.date || found.form.drops_thinking || found.form.opens_thinking);
  EXPECT_EQ(found.form.gap, "\n");
  EXPECT_EQ(found.note, "");
}

TEST(FindForm, Lfm25) {
  const auto found = find_form("\"Today's date: \" + strftime_now() \"\\n\\nList of tools: \" + (tools | tojson)" +
                               kTurns + "split(\"</think>\"){% if add_generation_prompt %}<|im_start|>assistant\n");
  EXPECT_EQ(found.form.name, ChatForm::kLfm25);
  EXPECT_TRUE(found.form.date && found.form.drops_thinking && found.form.first_token);
  EXPECT_FALSE(found.form.tool_tokens || found.form.response_tokens || found.form.opens_thinking);
  EXPECT_EQ(found.form.gap, "\n\n");
  EXPECT_EQ(found.note, "");
}

// Of June 2026: no date.
TEST(FindForm, EarlierLfm25) {
  const auto found = find_form(kTurns + "\"\\nList of tools: [\" </think>");
  EXPECT_EQ(found.form.name, ChatForm::kLfm25);
  EXPECT_FALSE(found.form.date);
  EXPECT_EQ(found.form.gap, "\n");
}

TEST(FindForm, AnAnswerMayBeginWithinItsThinking) {
  const std::string prompt = "{% if add_generation_prompt %}<|im_start|>assistant\n";
  EXPECT_TRUE(find_form(kTurns + "</think>" + prompt + "<think>\n{% endif %}").form.opens_thinking);
  EXPECT_FALSE(find_form(kTurns + prompt + "{% if off %}<think></think>{% endif %}").form.opens_thinking);
  EXPECT_FALSE(find_form(kTurns + "<think>" + prompt).form.opens_thinking);
}

TEST(FindForm, EverythingElseIsChatMl) {
  EXPECT_EQ(find_form(kTurns).form.name, ChatForm::kChatMl);
  EXPECT_EQ(find_form(kTurns).note, "");
  EXPECT_TRUE(find_form(kTurns).form.first_token);
  for (const std::string& unknown : {std::string(), std::string("{{ x() }}"), std::string("[INST]"),
                                     "{% include '/etc/passwd' %}" + std::string(1 << 20, '{')}) {
    EXPECT_EQ(find_form(unknown).form.name, ChatForm::kChatMl);
    EXPECT_NE(find_form(unknown).note, "");
  }
  EXPECT_NE(find_form(std::nullopt).note, "");
  EXPECT_NE(find_form("<tools>" + kTurns).note, "");
}

TEST(FindForm, ThinkingIsToldByTheTextWhateverTheForm) {
  EXPECT_FALSE(read_template(std::nullopt).thinks);
  EXPECT_FALSE(read_template(kTurns).thinks);
  EXPECT_TRUE(read_template(kTurns + "</think>").thinks);
  EXPECT_TRUE(read_template("{{ '<|im_' + 'start|>' }}{% if add_generation_prompt %}<think>{% endif %}").thinks);
}

}  // namespace
}  // namespace lfm::chat
