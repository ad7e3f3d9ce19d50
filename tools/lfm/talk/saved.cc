#include "talk/saved.h"

#include <unistd.h>

#include <span>

#include "base/file.h"
#include "base/try.h"
#include "input.h"
#include "talk/message_json.h"
#include "talk/replace_file.h"

namespace lfm::cli {
namespace {

constexpr std::string_view kFormatName = "lfm chat";
constexpr int kVersion = 1;

Error wrong_file(std::string_view what, std::string_view field, std::uint64_t index = Error::kNone) {
  return Error{ErrorCode::kFormat, std::string(what), std::string(field), index};
}

std::string tool_line(const Json& tool) {
  const Json& function = tool.contains("function") && tool["function"].is_object() ? tool["function"] : tool;
  const auto text = [&](const char* field) {
    return function.contains(field) && function[field].is_string() ? function[field].get<std::string>() : "";
  };
  const std::string name = text("name");
  const std::string description = text("description");
  return name + (description.empty() ? "" : ": " + description);
}

Result<std::string> tools_of(const Json& tools) {
  if (!tools.is_array()) return wrong_file("isn't a list", "tools");
  for (std::size_t i = 0; i < tools.size(); ++i) {
    if (!tools[i].is_object()) return wrong_file("isn't an object", "tools", i);
  }
  return tools.empty() ? std::string() : tools.dump(-1, ' ', false, Json::error_handler_t::replace);
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
  LFM_ASSIGN(const Json json, parse_json(text));
  if (!json.is_object() || !json.contains("format") || json["format"] != kFormatName)
    return wrong_file("isn't a saved conversation", "");
  if (!json.contains("version") || json["version"] != kVersion)
    return wrong_file("is of a version not known", "version");
  Conversation out;
  LFM_ASSIGN(out.system, text_of(json, "system"));
  if (json.contains("tools")) {
    LFM_ASSIGN(out.tools, tools_of(json["tools"]));
  }
  if (!json.contains("messages") || !json["messages"].is_array()) return wrong_file("isn't a list", "messages");
  for (const Json& element : json["messages"]) {
    const std::size_t index = out.messages.size();
    LFM_ASSIGN(Message message, message_of(element, index));
    if (message.role == Role::kSystem) return wrong_file("is none of user, assistant and tool", "role", index);
    out.messages.push_back(std::move(message));
  }
  return out;
}

Result<std::string> tools_from_json(std::string_view text) {
  LFM_ASSIGN(const Json json, parse_json(text));
  return tools_of(json);
}

std::vector<std::string> tool_lines(std::string_view tools) {
  std::vector<std::string> lines;
  if (const auto list = parse_json(tools); list.ok()) {
    for (const Json& tool : *list) lines.push_back(tool_line(tool));
  }
  return lines;
}

Status write_saved(const std::string& path, std::string_view json) {
  if (::access(path.c_str(), F_OK) == 0 && !read_saved(path).ok())
    return Error{ErrorCode::kArgument, "is there already, and is no saved conversation: another name, please", path};
  return replace_file(path, json);
}

Result<Conversation> read_saved(const std::string& path) {
  LFM_ASSIGN(const base::File file, base::File::open_read(path));
  if (file.size() > kSavedBytes) return Error{ErrorCode::kLimit, "is larger than 64 MiB", path};
  std::string text(file.size(), '\0');
  LFM_TRY(file.read_at(0, std::as_writable_bytes(std::span(text))));
  LFM_TRY(take_mark(text, path));
  auto conversation = conversation_from_json(text);
  if (conversation.ok()) return conversation;
  return Error{ErrorCode::kFormat, conversation.error().describe(), path};
}

}  // namespace lfm::cli
