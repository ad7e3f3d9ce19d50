#include "talk/saved.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "talk/files.h"
#include "talk/json_text.h"

namespace lfm::cli {
namespace {

constexpr std::string_view kFormatName = "lfm chat";
constexpr int kVersion = 1;

Error wrong(std::string_view what, std::string_view field, std::uint64_t index = Error::kNone) {
  return Error{ErrorCode::kFormat, std::string(what), std::string(field), index};
}

// A field that may be missing, and is a text.
Result<std::string> text_of(const Json& object, const char* field, std::uint64_t index = Error::kNone) {
  const auto found = object.find(field);
  if (found == object.end()) return std::string();
  if (!found->is_string()) return wrong("isn't a text", field, index);
  return found->get<std::string>();
}

Result<std::string> tools_of(const Json& tools) {
  if (!tools.is_array()) return wrong("isn't a list", "tools");
  for (std::size_t i = 0; i < tools.size(); ++i) {
    if (!tools[i].is_object()) return wrong("isn't an object", "tools", i);
  }
  return tools.empty() ? std::string() : tools.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::vector<ToolCall>> calls_of(const Json& message, std::uint64_t index) {
  std::vector<ToolCall> calls;
  const auto found = message.find("tool_calls");
  if (found == message.end()) return calls;
  if (!found->is_array()) return wrong("isn't a list", "tool_calls", index);
  for (const Json& call : *found) {
    if (!call.is_object() || !call.contains("name") || !call["name"].is_string() || !call.contains("arguments") ||
        !call["arguments"].is_object())
      return wrong("isn't an object with a name and an object of arguments", "tool_calls", index);
    calls.push_back(
        {call["name"].get<std::string>(), call["arguments"].dump(-1, ' ', false, Json::error_handler_t::replace)});
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
  auto name = text_of(message, "role", index);
  if (!name.ok()) return std::move(name).error();
  for (const Role role : {Role::kUser, Role::kAssistant, Role::kTool}) {
    if (*name == to_string(role)) return role;
  }
  return wrong("is none of user, assistant and tool", "role", index);
}

Result<Message> message_of(const Json& json, std::uint64_t index) {
  if (!json.is_object()) return wrong("isn't an object", "messages", index);
  auto role = role_of(json, index);
  if (!role.ok()) return std::move(role).error();
  auto content = text_of(json, "content", index);
  if (!content.ok()) return std::move(content).error();
  auto reasoning = text_of(json, "reasoning", index);
  if (!reasoning.ok()) return std::move(reasoning).error();
  auto calls = calls_of(json, index);
  if (!calls.ok()) return std::move(calls).error();
  auto tokens = tokens_of(json, index);
  if (!tokens.ok()) return std::move(tokens).error();
  return Message{*role, *std::move(content), *std::move(reasoning), *std::move(calls), *std::move(tokens)};
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

}  // namespace

std::string to_json(const Conversation& conversation, std::string_view model) {
  Json json = {{"format", kFormatName}, {"version", kVersion}, {"model", model}};
  if (!conversation.system.empty()) json["system"] = conversation.system;
  if (!conversation.tools.empty()) {
    auto tools = parse_json(conversation.tools);
    if (tools.ok()) json["tools"] = *std::move(tools);
  }
  json["messages"] = Json::array();
  for (const Message& message : conversation.messages) json["messages"].push_back(json_of(message));
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + '\n';
}

Result<Conversation> conversation_from_json(std::string_view text) {
  auto json = parse_json(text);
  if (!json.ok()) return std::move(json).error();
  if (!json->is_object() || !json->contains("format") || (*json)["format"] != kFormatName)
    return wrong("isn't a saved conversation", "");
  if (!json->contains("version") || (*json)["version"] != kVersion)
    return wrong("is of a version not known", "version");
  Conversation out;
  auto system = text_of(*json, "system");
  if (!system.ok()) return std::move(system).error();
  out.system = *std::move(system);
  if (json->contains("tools")) {
    auto tools = tools_of((*json)["tools"]);
    if (!tools.ok()) return std::move(tools).error();
    out.tools = *std::move(tools);
  }
  if (!json->contains("messages") || !(*json)["messages"].is_array()) return wrong("isn't a list", "messages");
  for (const Json& element : (*json)["messages"]) {
    auto message = message_of(element, out.messages.size());
    if (!message.ok()) return std::move(message).error();
    out.messages.push_back(*std::move(message));
  }
  return out;
}

Result<std::string> tools_from_json(std::string_view text) {
  auto json = parse_json(text);
  if (!json.ok()) return std::move(json).error();
  return tools_of(*json);
}

Status write_saved(const std::string& path, std::string_view json) {
  if (::access(path.c_str(), F_OK) == 0 && !read_saved(path).ok())
    return Error{ErrorCode::kArgument, "is there already, and is no saved conversation: another name, please", path};
  return replace_file(path, json);
}

Result<Conversation> read_saved(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  struct stat status {};
  if (file < 0 || ::fstat(file, &status) != 0) return io_error("cannot open", path);
  if (!S_ISREG(status.st_mode)) return Error{ErrorCode::kIo, "isn't a regular file", path};
  if (status.st_size > static_cast<off_t>(kSavedBytes)) return Error{ErrorCode::kLimit, "is larger than 64 MiB", path};
  std::string text;
  if (!read_end(file, kSavedBytes, text)) return io_error("cannot read", path);
  auto conversation = conversation_from_json(text);
  if (conversation.ok()) return conversation;
  return Error{ErrorCode::kFormat, conversation.error().describe(), path};
}

}  // namespace lfm::cli
