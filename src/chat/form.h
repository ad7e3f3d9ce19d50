// The forms in which conversations are written, and how a model's own is told from its file.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "chat/json.h"
#include "chat/parts.h"
#include "jinja/template.h"
#include "lfm/chat.h"

namespace lfm::chat {

// What a form has in addition to ChatML:
//
//   [first token] <|im_start|>system\n PROMPT gap [Today's date: DATE\n\n] List of tools: [start][TOOL,
//   TOOL][end]<|im_end|>\n
//   <|im_start|>ROLE\n CONTENT <|im_end|>\n ...
//   <|im_start|>assistant\n [<think>]
struct Form {
  ChatForm name = ChatForm::kChatMl;
  bool first_token = false;
  bool tool_tokens = false;      // around the list of tools
  bool response_tokens = false;  // around a tool's result
  bool date = false;
  std::string_view gap = "\n\n";  // between system prompt and tools
  bool drops_thinking = false;    // of answers before the last message of the user
  bool opens_thinking = false;    // the answer begins within its thinking

  static Form of(ChatForm name);  // not kFromModel
};

struct FoundForm {
  Form form;
  std::string note = {};  // what is uncertain about it; empty: nothing
  bool thinks = false;    // the template speaks of thinking, be it run or recognised

  // The template itself, to be run, or why it can't be.
  std::shared_ptr<const jinja::Template> own = nullptr;
  std::string problem = {};
};

// Reads off a template what it writes, without running it: for where it can't be run. Nothing in it can make this fail.
FoundForm find_form(std::optional<std::string_view> chat_template);

// That, and the template parsed.
FoundForm read_template(std::optional<std::string_view> chat_template);

struct FormOptions {
  std::vector<std::string> tools = {};  // as JSON
  std::string date = {};
  bool preserve_thinking = false;
};

// Writes a conversation without the first token. kArgument: a call's arguments aren't a JSON object (index: the
// message). The parts point into the messages.
Result<Parts> write(const Form& form, const FormOptions& options, std::span<const Message> messages,
                    bool generation_prompt, const text::Tokenizer& tokenizer);

// The arguments of a call in an earlier answer. kArgument with the message as index: what can't be written as a call,
// or would be read as something else.
Result<std::vector<Argument>> arguments_of(const ToolCall& call, std::size_t message);
Status check_calls(const std::vector<ToolCall>& calls, std::size_t message);

}  // namespace lfm::chat
