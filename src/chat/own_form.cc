#include "chat/own_form.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/try.h"
#include "chat/form.h"
#include "chat/json_value.h"
#include "chat/message.h"
#include "chat/own_tokens.h"
#include "chat/structure.h"

namespace lfm::chat {
namespace {

using jinja::Origin;
using jinja::Text;
using jinja::Value;
using Members = std::vector<std::pair<Value, Value>>;

// What templates call an answer's thinking.
constexpr std::string_view kThinkingKeys[] = {"thinking", "reasoning_content", "reasoning"};

void put(Members& members, std::string_view key, Value value) {
  members.emplace_back(Value::string(std::string(key), Origin::kTemplate), std::move(value));
}

Value ours(std::string_view text) {
  return Value::string(std::string(text), Origin::kTemplate);
}

Value theirs(const std::string& text) {
  return Value::string(text, Origin::kData);
}

// As transformers wants calls to be given.
Result<Value> value_of_calls(const std::vector<ToolCall>& calls, std::size_t index) {
  LFM_TRY(check_calls(calls, index));
  std::vector<Value> list;
  for (const ToolCall& call : calls) {
    LFM_ASSIGN(Value arguments, read_json(call.arguments, "tool_calls"));
    Members function, whole;
    put(function, "name", theirs(call.name));
    put(function, "arguments", std::move(arguments));
    put(whole, "type", ours("function"));
    put(whole, "function", Value::dict(std::move(function)));
    list.push_back(Value::dict(std::move(whole)));
  }
  return Value::list(std::move(list));
}

Error told(Error error) {
  error.message = (error.code == ErrorCode::kArgument ? "the model's chat template refuses this conversation: "
                                                      : "the model's chat template fails: ") +
                  error.message;
  return error;
}

Parts parts_of(const Text& text, const text::Tokenizer& tokenizer) {
  Parts parts;
  text.runs([&](std::string_view bytes, Origin origin) {
    if (origin == Origin::kData) return parts.text(std::string(bytes));
    tokenizer.cut_at_added(bytes, text::AddedTokens::kAll, [&](std::string_view piece, TokenId token) {
      token == text::Vocabulary::kNone ? parts.text(std::string(piece)) : parts.token(piece);
    });
  });
  return parts;
}

}  // namespace

Result<OwnForm> OwnForm::create(std::shared_ptr<const jinja::Template> chat_template, const OwnFormOptions& options) {
  OwnForm made;
  made.template_ = std::move(chat_template);
  made.clock_ = options.clock;
  made.preserve_thinking_ = options.preserve_thinking;
  made.knows_thinking_ = std::any_of(std::begin(kThinkingKeys), std::end(kThinkingKeys),
                                     [&](std::string_view key) { return made.mentions(key); });
  made.knows_calls_ = made.mentions("tool_calls");
  if (!options.tools.empty()) {
    LFM_ASSIGN(made.tools_, read_json(options.tools, "tools"));
    if (made.tools_.items().empty()) made.tools_ = Value::none();
  }
  return made;
}

std::string OwnForm::problem(const text::Tokenizer& tokenizer) const {
  const std::string question = "Is it so?";
  std::vector<Message> messages = {{Role::kUser, question}};
  auto text = run(messages, true, tokenizer);
  if (!text.ok()) return std::move(text).error().message;
  if (text->bytes().find(question) == std::string_view::npos)
    return "the model's chat template leaves out what is said";
  messages.insert(messages.begin(), {Role::kSystem, "So."});
  messages.push_back({Role::kAssistant, "Yes."});
  if (!tools_.is(Value::none().kind())) {
    messages.back().tool_calls.push_back({"f", "{\"a\": 1}"});
    messages.push_back({Role::kTool, "1"});
  }
  messages.push_back({Role::kUser, question});
  text = run(messages, true, tokenizer);
  return text.ok() || text.error().code == ErrorCode::kArgument ? "" : std::move(text).error().message;
}

Result<Value> OwnForm::value_of(const Message& message, std::size_t index, const text::Tokenizer& tokenizer) const {
  Members members;
  put(members, "role", ours(to_string(message.role)));
  const bool answers = message.role == Role::kAssistant;
  bool thinking = answers && !message.reasoning.empty(), calls = answers && !message.tool_calls.empty();
  // Of what the template knows no field for, the content tells, as the model said it.
  const SaidParts in_content = {.thinking = thinking && !knows_thinking_, .calls = calls && !knows_calls_};
  auto said = answers && (in_content.thinking || in_content.calls) && says_so(tokenizer, message, false)
                  ? said_text(tokenizer, message, in_content)
                  : std::nullopt;
  put(members, "content", said ? Value::string(*std::move(said)) : theirs(message.content));
  if (thinking) {
    for (const std::string_view key : kThinkingKeys) {
      if (mentions(key) || (!knows_thinking_ && key == kThinkingKeys[0])) put(members, key, theirs(message.reasoning));
    }
  }
  if (calls) {
    LFM_ASSIGN(Value list, value_of_calls(message.tool_calls, index));
    put(members, "tool_calls", std::move(list));
  }
  return Value::dict(std::move(members));
}

Result<Text> OwnForm::run(std::span<const Message> messages, bool generation_prompt,
                          const text::Tokenizer& tokenizer) const {
  std::vector<Value> list;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    LFM_ASSIGN(Value value, value_of(messages[i], i, tokenizer));
    list.push_back(std::move(value));
  }
  std::vector<std::pair<std::string, Value>> variables = {
      {"messages", Value::list(std::move(list))},
      {"tools", tools_},
      {"documents", Value::none()},
      {"add_generation_prompt", Value::boolean(generation_prompt)},
  };
  if (tokenizer.bos()) variables.emplace_back("bos_token", ours(tokenizer.piece(*tokenizer.bos())));
  if (tokenizer.eos()) variables.emplace_back("eos_token", ours(tokenizer.piece(*tokenizer.eos())));
  if (preserve_thinking_) {  // otherwise it is as the template has it
    variables.emplace_back("preserve_thinking", Value::boolean(true));
    variables.emplace_back("keep_past_thinking", Value::boolean(true));
  }
  auto text = template_->render(variables, clock_ ? &*clock_ : nullptr);
  if (!text.ok()) return told(std::move(text).error());
  return text;
}

Result<Parts> OwnForm::write(std::span<const Message> messages, bool generation_prompt,
                             const text::Tokenizer& tokenizer) const {
  LFM_ASSIGN(const Text text, run(messages, generation_prompt, tokenizer));
  return with_own_tokens(parts_of(text, tokenizer), messages, tokenizer);
}

}  // namespace lfm::chat
