#include "talk/message_json.h"

#include <array>

#include "base/try.h"

namespace lfm::cli {
namespace {

Error wrong(std::string_view what, std::string_view field, std::uint64_t index) {
  return Error{ErrorCode::kFormat, std::string(what), std::string(field), index};
}

std::string dumped(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::string> content_of(const Json& message, std::uint64_t index) {
  const auto found = message.find("content");
  if (found == message.end() || found->is_null()) return std::string();
  if (!found->is_array()) return text_of(message, "content", index);
  std::string text;
  for (const Json& part : *found) {
    if (part.is_string()) {
      text += part.get<std::string>();
      continue;
    }
    if (!part.is_object() || !part.contains("text") || !part["text"].is_string())
      return wrong("has a part that isn't text", "content", index);
    text += part["text"].get<std::string>();
  }
  return text;
}

Result<ToolCall> call_of(const Json& call, std::uint64_t index) {
  const Error problem = wrong("isn't an object with a name and an object of arguments", "tool_calls", index);
  if (!call.is_object()) return problem;
  const Json& function = call.contains("function") ? call["function"] : call;
  if (!function.is_object() || !function.contains("name") || !function["name"].is_string() ||
      !function.contains("arguments"))
    return problem;
  Json arguments = function["arguments"];
  if (arguments.is_string()) {
    const std::string text = arguments.get<std::string>();
    auto inner = parse_json(text.empty() ? "{}" : text);  // of a call without arguments, as some clients have it
    if (!inner.ok()) return problem;
    arguments = *std::move(inner);
  }
  if (!arguments.is_object()) return problem;
  return ToolCall{function["name"].get<std::string>(), dumped(arguments)};
}

Result<std::vector<ToolCall>> calls_of(const Json& message, std::uint64_t index) {
  std::vector<ToolCall> calls;
  const auto found = message.find("tool_calls");
  if (found == message.end() || found->is_null()) return calls;
  if (!found->is_array()) return wrong("isn't a list", "tool_calls", index);
  for (const Json& element : *found) {
    LFM_ASSIGN(ToolCall call, call_of(element, index));
    calls.push_back(std::move(call));
  }
  return calls;
}

Result<std::vector<TokenId>> tokens_of(const Json& message, std::uint64_t index) {
  std::vector<TokenId> tokens;
  const auto found = message.find("tokens");
  if (found == message.end()) return tokens;
  if (!found->is_array()) return wrong("isn't a list", "tokens", index);
  for (const Json& token : *found) {
    if (!token.is_number_integer() || token.get<std::int64_t>() < 0 || token.get<std::int64_t>() > 0x7FFFFFFF)
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

}  // namespace

Result<std::string> text_of(const Json& object, const char* field, std::uint64_t index) {
  const auto found = object.find(field);
  if (found == object.end()) return std::string();
  if (!found->is_string()) return wrong("isn't a text", field, index);
  return found->get<std::string>();
}

Result<Message> message_of(const Json& json, std::uint64_t index) {
  if (!json.is_object()) return wrong("isn't an object", "messages", index);
  Message message;
  LFM_ASSIGN(message.role, role_of(json, index));
  LFM_ASSIGN(message.content, content_of(json, index));
  const bool openai = json.contains("reasoning_content") && !json["reasoning_content"].is_null();
  LFM_ASSIGN(message.reasoning, text_of(json, openai ? "reasoning_content" : "reasoning", index));
  LFM_ASSIGN(message.tool_calls, calls_of(json, index));
  LFM_ASSIGN(message.tokens, tokens_of(json, index));
  return message;
}

Json json_of(const Message& message) {
  Json json = {{"role", to_string(message.role)}, {"content", message.content}};
  if (!message.reasoning.empty()) json["reasoning"] = message.reasoning;
  for (const ToolCall& call : message.tool_calls) {
    auto arguments = parse_json(call.arguments);
    json["tool_calls"].push_back(
        {{"name", call.name}, {"arguments", arguments.ok() && arguments->is_object() ? *arguments : Json::object()}});
  }
  if (!message.tokens.empty()) json["tokens"] = message.tokens;
  return json;
}

}  // namespace lfm::cli
