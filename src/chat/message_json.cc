#include "chat/message_json.h"

#include <cstdint>

#include "base/try.h"
#include "format/json.h"

namespace lfm::chat {
namespace {

using format::Json;

Error wrong(std::string_view what, std::string_view field, std::uint64_t index) {
  return Error{ErrorCode::kFormat, std::string(what), std::string(field), index};
}

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A text that may be missing, or null.
Result<std::string> text_of(const Json& message, const char* field, std::uint64_t index) {
  const Json* found = format::find(message, field);
  if (found == nullptr) return std::string();
  if (!found->is_string()) return wrong("isn't a text", field, index);
  return found->get<std::string>();
}

Result<std::string> content_of(const Json& message, std::uint64_t index) {
  const Json* found = format::find(message, "content");
  if (found == nullptr || !found->is_array()) return text_of(message, "content", index);
  std::string text;
  for (const Json& part : *found) {
    const Json* words = part.is_string() ? &part : format::find(part, "text");
    if (words == nullptr || !words->is_string()) return wrong("has a part that isn't text", "content", index);
    text += words->get<std::string>();
  }
  return text;
}

Result<ToolCall> call_of(const Json& call, std::uint64_t index) {
  const Error problem = wrong("isn't an object with a name and an object of arguments", "tool_calls", index);
  const Json* inner = format::find(call, "function");
  const Json& function = inner != nullptr ? *inner : call;
  const Json* name = format::find(function, "name");
  const Json* arguments = format::find(function, "arguments");
  if (name == nullptr || !name->is_string() || arguments == nullptr) return problem;
  if (arguments->is_object()) return ToolCall{name->get<std::string>(), dumped(*arguments)};
  if (!arguments->is_string()) return problem;
  const auto& text = arguments->get_ref<const std::string&>();
  if (text.empty()) return ToolCall{name->get<std::string>(), "{}"};  // as some clients have it
  const auto parsed = format::parse_json(text, "tool_calls");
  if (!parsed.ok() || !parsed->is_object()) return problem;
  return ToolCall{name->get<std::string>(), dumped(*parsed)};
}

Result<std::vector<ToolCall>> calls_of(const Json& message, std::uint64_t index) {
  std::vector<ToolCall> calls;
  const Json* found = format::find(message, "tool_calls");
  if (found == nullptr) return calls;
  if (!found->is_array()) return wrong("isn't a list", "tool_calls", index);
  for (const Json& element : *found) {
    LFM_ASSIGN(ToolCall call, call_of(element, index));
    calls.push_back(std::move(call));
  }
  return calls;
}

Result<std::vector<TokenId>> tokens_of(const Json& message, std::uint64_t index) {
  std::vector<TokenId> tokens;
  const Json* found = format::find(message, "tokens");
  if (found == nullptr) return tokens;
  if (!found->is_array()) return wrong("isn't a list", "tokens", index);
  for (const Json& token : *found) {
    if (!token.is_number_unsigned() || token.get<std::uint64_t>() > INT32_MAX)
      return wrong("isn't a list of token ids", "tokens", index);
    tokens.push_back(token.get<TokenId>());
  }
  return tokens;
}

Result<Role> role_of(const Json& message, std::uint64_t index) {
  LFM_ASSIGN(const std::string name, text_of(message, "role", index));
  if (name == "developer") return Role::kSystem;
  for (const Role role : {Role::kSystem, Role::kUser, Role::kAssistant, Role::kTool}) {
    if (name == to_string(role)) return role;
  }
  return wrong("is none of user, assistant, tool and system", "role", index);
}

Result<Message> message_of(const Json& json, std::uint64_t index) {
  if (!json.is_object()) return wrong("isn't an object", "messages", index);
  Message message;
  LFM_ASSIGN(message.role, role_of(json, index));
  LFM_ASSIGN(message.content, content_of(json, index));
  const bool openai = format::find(json, "reasoning_content") != nullptr;
  LFM_ASSIGN(message.reasoning, text_of(json, openai ? "reasoning_content" : "reasoning", index));
  LFM_ASSIGN(message.tool_calls, calls_of(json, index));
  LFM_ASSIGN(message.tokens, tokens_of(json, index));
  return message;
}

Json json_of(const Message& message) {
  Json json = {{"role", to_string(message.role)}, {"content", message.content}};
  if (!message.reasoning.empty()) json["reasoning"] = message.reasoning;
  for (const ToolCall& call : message.tool_calls) {
    const auto arguments = format::parse_json(call.arguments, "arguments");
    json["tool_calls"].push_back(
        {{"name", call.name}, {"arguments", arguments.ok() && arguments->is_object() ? *arguments : Json::object()}});
  }
  if (!message.tokens.empty()) json["tokens"] = message.tokens;
  return json;
}

}  // namespace

std::string write_messages(std::span<const Message> messages) {
  Json json = Json::array();
  for (const Message& message : messages) json.push_back(json_of(message));
  return dumped(json);
}

Result<std::vector<Message>> read_messages(std::string_view json) {
  LFM_ASSIGN(const Json list, format::parse_json(json, "messages"));
  if (!list.is_array()) return Error{ErrorCode::kFormat, "isn't a list", "messages"};
  std::vector<Message> messages;
  for (const Json& element : list) {
    LFM_ASSIGN(Message message, message_of(element, messages.size()));
    messages.push_back(std::move(message));
  }
  return messages;
}

}  // namespace lfm::chat
