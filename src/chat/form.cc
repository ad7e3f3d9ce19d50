#include "chat/form.h"

#include <algorithm>

#include "base/file.h"
#include "base/try.h"
#include "chat/call.h"
#include "chat/json.h"
#include "chat/message.h"
#include "chat/structure.h"

namespace lfm::chat {
namespace {

// What is left of a text that has its thinking in it.
std::string_view behind_thinking(std::string_view content) {
  const std::size_t end = content.rfind(kThinkEnd);
  if (end == std::string_view::npos) return content;
  content.remove_prefix(end + kThinkEnd.size());
  content.remove_prefix(std::min(content.find_first_not_of(kSpace), content.size()));
  return content.substr(0, content.find_last_not_of(kSpace) + 1);
}

// "[get_weather(city='Paris', days=3), now()]"
Result<std::string> python_calls(const std::vector<ToolCall>& calls, std::size_t message) {
  std::string text = "[";
  for (const ToolCall& call : calls) {
    LFM_ASSIGN(const std::vector<Argument> arguments, arguments_of(call, message));
    if (text.size() > 1) text += ", ";
    text += call.name + "(";
    for (const Argument& argument : arguments) {
      if (&argument != &arguments.front()) text += ", ";
      text += argument.name + "=" + argument.value;
    }
    text += ")";
  }
  return text + "]";
}

class FormWriter {
 public:
  FormWriter(const Form& form, const FormOptions& options, const text::Tokenizer& tokenizer)
      : form_(form), options_(options), tokenizer_(tokenizer) {}

  // The first message of the system and the tools are one message.
  void system(std::string_view prompt) {
    if (prompt.empty() && options_.tools.empty()) return;
    begin_turn(Role::kSystem);
    std::string text(prompt);
    if (options_.tools.empty()) {
      parts_.text(std::move(text));
    } else {
      if (!text.empty()) text += form_.gap;
      if (form_.date) text += "Today's date: " + options_.date + "\n\n";
      parts_.text(text + "List of tools: ");
      tools();
    }
    end_turn();
  }

  Status message(const Message& message, std::size_t index, bool past) {
    begin_turn(message.role);
    if (message.role == Role::kAssistant) {
      LFM_TRY(answer(message, index, past && form_.drops_thinking && !options_.preserve_thinking));
    } else {
      const bool response = message.role == Role::kTool && form_.response_tokens;
      if (response) parts_.token("<|tool_response_start|>");
      parts_.text(message.content);
      if (response) parts_.token("<|tool_response_end|>");
    }
    end_turn();
    return {};
  }

  void generation_prompt() {
    begin_turn(Role::kAssistant);
    if (form_.opens_thinking) parts_.token(kThinkStart);
  }

  Parts take() { return std::move(parts_); }

 private:
  void begin_turn(Role role) {
    parts_.token(kTurnStart);
    parts_.text(to_string(role) + std::string("\n"));
  }

  void end_turn() {
    parts_.token(kTurnEnd);
    parts_.text("\n");
  }

  void tools() {
    if (form_.tool_tokens) parts_.token("<|tool_list_start|>");
    std::string list = "[";
    for (const std::string& tool : options_.tools) {
      if (list.size() > 1) list += ", ";
      list += tool;
    }
    parts_.text(list + "]");
    if (form_.tool_tokens) parts_.token("<|tool_list_end|>");
  }

  Status answer(const Message& message, std::size_t index, bool without_thinking) {
    if (says_so(tokenizer_, message, without_thinking)) {
      parts_.ids(message.tokens);
      return {};
    }
    if (!message.reasoning.empty() && !without_thinking) {
      parts_.token(kThinkStart);
      parts_.text(message.reasoning);
      parts_.token(kThinkEnd);
    }
    parts_.text(std::string(without_thinking ? behind_thinking(message.content) : message.content));
    if (message.tool_calls.empty()) return {};
    LFM_ASSIGN(std::string calls, python_calls(message.tool_calls, index));
    parts_.token(kCallStart);
    parts_.text(std::move(calls));
    parts_.token(kCallEnd);
    return {};
  }

  const Form& form_;
  const FormOptions& options_;
  const text::Tokenizer& tokenizer_;
  Parts parts_;
};

}  // namespace

Result<std::vector<Argument>> arguments_of(const ToolCall& call, std::size_t message) {
  const auto refused = [&](const std::string& what) {
    return Error{ErrorCode::kArgument, what, "tool_calls", message};
  };
  if (!is_function_name(call.name)) return refused("no name of a function: \"" + base::printable(call.name) + '"');
  auto arguments = read_arguments(call.arguments, "tool_calls");
  if (!arguments.ok()) {
    arguments.error().index = message;
    return std::move(arguments).error();
  }
  for (const Argument& argument : *arguments) {
    if (!is_argument_name(argument.name)) {
      return refused("no name of an argument: \"" + base::printable(argument.name) + '"');
    }
  }
  return arguments;
}

Status check_calls(const std::vector<ToolCall>& calls, std::size_t message) {
  for (const ToolCall& call : calls) LFM_TRY(arguments_of(call, message));
  return {};
}

Result<Parts> write(const Form& form, const FormOptions& options, std::span<const Message> messages,
                    bool generation_prompt, const text::Tokenizer& tokenizer) {
  FormWriter writer(form, options, tokenizer);
  const bool prompted = !messages.empty() && messages[0].role == Role::kSystem;
  writer.system(prompted ? std::string_view(messages[0].content) : std::string_view());
  std::size_t last_user = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].role == Role::kUser) last_user = i;
  }
  for (std::size_t i = prompted ? 1 : 0; i < messages.size(); ++i) {
    LFM_TRY(writer.message(messages[i], i, i < last_user));
  }
  if (generation_prompt) writer.generation_prompt();
  return writer.take();
}

}  // namespace lfm::chat
