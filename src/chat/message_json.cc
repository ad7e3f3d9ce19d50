#include "chat/message_json.h"

#include <cstdint>
#include <optional>

#include "base/try.h"
#include "json/value.h"
#include "json/write.h"
#include "text/utf8.h"

namespace lfm::chat {
namespace {

using Json = json::Value;

constexpr json::Rules kRules = {.malformed = ErrorCode::kFormat, .too_deep = ErrorCode::kFormat};

Error wrong(std::string_view what, std::string_view field, std::uint64_t index) {
  return Error{ErrorCode::kFormat, std::string(what), std::string(field), index};
}

std::string dumped(const Json& json) {
  std::string text;
  json::append_value(json, text);
  return text;
}

// A text that may be missing, or null.
Result<std::string> text_of(const Json& message, const char* field, std::uint64_t index) {
  const Json* found = json::given(message, field);
  if (found == nullptr) return std::string();
  if (!found->is_text()) return wrong("isn't a text", field, index);
  return found->text;
}

Result<std::string> content_of(const Json& message, std::uint64_t index) {
  const Json* found = json::given(message, "content");
  if (found == nullptr || !found->is_array()) return text_of(message, "content", index);
  std::string text;
  for (const Json& part : found->items) {
    const Json* words = part.is_text() ? &part : json::given(part, "text");
    if (words == nullptr || !words->is_text()) return wrong("has a part that isn't text", "content", index);
    text += words->text;
  }
  return text;
}

Result<ToolCall> call_of(const Json& call, std::uint64_t index) {
  const Error problem = wrong("isn't an object with a name and an object of arguments", "tool_calls", index);
  const Json* inner = json::given(call, "function");
  const Json& function = inner != nullptr ? *inner : call;
  const Json* name = json::given(function, "name");
  const Json* arguments = json::given(function, "arguments");
  if (name == nullptr || !name->is_text() || arguments == nullptr) return problem;
  if (arguments->is_object()) return ToolCall{name->text, dumped(*arguments)};
  if (!arguments->is_text()) return problem;
  if (arguments->text.empty()) return ToolCall{name->text, "{}"};  // as some clients have it
  const auto parsed = json::parse(arguments->text, "tool_calls", kRules);
  if (!parsed.ok() || !parsed->is_object()) return problem;
  return ToolCall{name->text, dumped(*parsed)};
}

Result<std::vector<ToolCall>> calls_of(const Json& message, std::uint64_t index) {
  std::vector<ToolCall> calls;
  const Json* found = json::given(message, "tool_calls");
  if (found == nullptr) return calls;
  if (!found->is_array()) return wrong("isn't a list", "tool_calls", index);
  for (const Json& element : found->items) {
    LFM_ASSIGN(ToolCall call, call_of(element, index));
    calls.push_back(std::move(call));
  }
  return calls;
}

Result<std::vector<TokenId>> tokens_of(const Json& message, std::uint64_t index) {
  std::vector<TokenId> tokens;
  const Json* found = json::given(message, "tokens");
  if (found == nullptr) return tokens;
  if (!found->is_array()) return wrong("isn't a list", "tokens", index);
  for (const Json& token : found->items) {
    const std::optional<std::uint64_t> id = token.whole();
    if (!id || *id > INT32_MAX) return wrong("isn't a list of token ids", "tokens", index);
    tokens.push_back(static_cast<TokenId>(*id));
  }
  return tokens;
}

Result<Role> role_of(const Json& message, std::uint64_t index) {
  LFM_ASSIGN(const std::string name, text_of(message, "role", index));
  if (name == "developer") return Role::kSystem;
  for (const Role role : {Role::kSystem, Role::kUser, Role::kAssistant, Role::kTool}) {
    if (name == to_string(role)) return role;
  }
  return wrong("is none of user, assistant, tool, system and developer", "role", index);
}

Result<Message> message_of(const Json& json, std::uint64_t index) {
  if (!json.is_object()) return wrong("isn't an object", "messages", index);
  Message message;
  LFM_ASSIGN(message.role, role_of(json, index));
  LFM_ASSIGN(message.content, content_of(json, index));
  const bool openai = json::given(json, "reasoning_content") != nullptr;
  LFM_ASSIGN(message.reasoning, text_of(json, openai ? "reasoning_content" : "reasoning", index));
  LFM_ASSIGN(message.tool_calls, calls_of(json, index));
  LFM_ASSIGN(message.tokens, tokens_of(json, index));
  return message;
}

// A text as JSON has it, made UTF-8 where it isn't.
void append_text(std::string_view text, std::string& out) {
  if (text::is_utf8(text)) return json::append_text(text, out);
  std::string whole;
  for (std::size_t at = 0; at < text.size();) {
    const text::CodePoint c = text::decode_utf8(text, at);
    text::append_utf8(c.value, whole);
    at += c.length;
  }
  json::append_text(whole, out);
}

void append_member(const char* name, std::string_view text, std::string& out) {
  ((out += ",\"") += name) += "\":";
  append_text(text, out);
}

void append_calls(std::span<const ToolCall> calls, std::string& out) {
  out += ",\"tool_calls\":[";
  for (const ToolCall& call : calls) {
    out += &call == &calls.front() ? "{\"name\":" : ",{\"name\":";
    append_text(call.name, out);
    out += ",\"arguments\":";
    const auto arguments = json::parse(call.arguments, "arguments", kRules);
    out += arguments.ok() && arguments->is_object() ? dumped(*arguments) : "{}";
    out += '}';
  }
  out += ']';
}

void append_message(const Message& message, std::string& out) {
  ((out += "{\"role\":\"") += to_string(message.role)) += '"';
  append_member("content", message.content, out);
  if (!message.reasoning.empty()) append_member("reasoning", message.reasoning, out);
  if (!message.tool_calls.empty()) append_calls(message.tool_calls, out);
  for (std::size_t i = 0; i < message.tokens.size(); ++i)
    (out += i == 0 ? ",\"tokens\":[" : ",") += std::to_string(message.tokens[i]);
  out += message.tokens.empty() ? "}" : "]}";
}

}  // namespace

std::string write_messages(std::span<const Message> messages) {
  std::string json = "[";
  for (const Message& message : messages) {
    if (&message != &messages.front()) json += ',';
    append_message(message, json);
  }
  return json += ']';
}

Result<std::vector<Message>> read_messages(std::string_view json) {
  LFM_ASSIGN(const Json list, json::parse(json, "messages", kRules));
  if (!list.is_array()) return Error{ErrorCode::kFormat, "isn't a list", "messages"};
  std::vector<Message> messages;
  for (const Json& element : list.items) {
    LFM_ASSIGN(Message message, message_of(element, messages.size()));
    messages.push_back(std::move(message));
  }
  return messages;
}

}  // namespace lfm::chat
