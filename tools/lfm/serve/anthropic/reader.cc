#include <algorithm>
#include <utility>

#include "base/try.h"
#include "serve/anthropic/anthropic.h"
#include "serve/generation.h"
#include "serve/model/tools.h"
#include "serve/service.h"

namespace lfm::serve {
namespace {

// Claude Code's first line of a system prompt, which is another one in each request.
constexpr std::string_view kBilling = "x-anthropic-billing-header:";

Error not_supported_here(std::string field, std::string sentence) {
  return Error{ErrorCode::kUnsupported, std::move(sentence), std::move(field)};
}

// Parts of a content: a text is one, or a list of blocks.
Result<Json> blocks_of(const Fields& fields, const char* name) {
  const Json* const content = fields.find(name);
  if (content == nullptr) return Json::array();
  if (content->is_string()) return Json::array({{{"type", "text"}, {"text", *content}}});
  if (!content->is_array()) return wrong(fields.name(name), "expected a text or a list of blocks");
  return *content;
}

std::string place_of(const std::string& list, std::size_t index) {
  return list + "[" + std::to_string(index) + "]";
}

Result<std::string> type_of(const Json& block, const std::string& place) {
  if (!block.is_object()) return wrong(place, "isn't an object");
  LFM_ASSIGN(const auto type, Fields(block, place + ".").text("type"));
  if (!type) return wrong(place + ".type", "is missing");
  return *type;
}

Result<std::string> needed_text(const Fields& fields, const char* name) {
  LFM_ASSIGN(auto text, fields.text(name));
  if (!text) return wrong(fields.name(name), "is missing");
  return *std::move(text);
}

// What isn't text in a place where text alone can be.
Error no_text(const std::string& type, const std::string& place) {
  return not_supported_here(place + ".type", "the model reads text alone, and no " + json_text(type));
}

// Texts of blocks, behind one another as they would be in one text.
Result<std::string> text_of(const Fields& fields, const char* name) {
  LFM_ASSIGN(const Json blocks, blocks_of(fields, name));
  std::string out;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::string place = place_of(fields.name(name), i);
    LFM_ASSIGN(const std::string type, type_of(blocks[i], place));
    if (type != "text") return no_text(type, place);
    LFM_ASSIGN(const std::string text, needed_text(Fields(blocks[i], place + "."), "text"));
    if (text.starts_with(kBilling)) {
      const std::size_t end = text.find('\n');
      if (end != std::string::npos) out += text.substr(end + 1);
      continue;
    }
    if (!out.empty() && !out.ends_with('\n')) out += '\n';
    out += text;
  }
  return out;
}

// An assistant's block, into its message.
Status add_said(const Json& block, const std::string& type, const std::string& place, Message& message) {
  const Fields fields(block, place + ".");
  if (type == "text") {
    LFM_ASSIGN(const std::string text, needed_text(fields, "text"));
    message.content += text;
    return {};
  }
  if (type == "thinking") {
    LFM_ASSIGN(const std::string thinking, needed_text(fields, "thinking"));
    message.reasoning += thinking;
    return {};
  }
  if (type == "redacted_thinking") return {};
  if (type != "tool_use") return no_text(type, place);
  LFM_ASSIGN(std::string name, needed_text(fields, "name"));
  LFM_ASSIGN(const Json* const input, fields.object("input"));
  message.tool_calls.push_back({std::move(name), input == nullptr ? "{}" : json_text(*input)});
  return {};
}

// A message of theirs may be several of ours: results of tools are messages, and so is text between them.
Status add_messages(const Json& element, const std::string& place, std::vector<Message>& messages) {
  if (!element.is_object()) return wrong(place, "isn't an object");
  const Fields fields(element, place + ".");
  LFM_ASSIGN(const std::string role, needed_text(fields, "role"));
  if (role == "system") {
    LFM_ASSIGN(std::string text, text_of(fields, "content"));
    messages.push_back({Role::kSystem, std::move(text)});
    return {};
  }
  if (role != "user" && role != "assistant")
    return wrong(fields.name("role"), "expected user or assistant, not " + json_text(role));
  LFM_ASSIGN(const Json blocks, blocks_of(fields, "content"));
  Message now = {.role = role == "user" ? Role::kUser : Role::kAssistant};
  bool any = false;
  const auto end = [&] {
    if (any) messages.push_back(std::exchange(now, Message{.role = now.role}));
    any = false;
  };
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    const std::string where = place_of(place + ".content", i);
    LFM_ASSIGN(const std::string type, type_of(blocks[i], where));
    if (type == "tool_result" && now.role == Role::kUser) {
      end();
      LFM_ASSIGN(std::string text, text_of(Fields(blocks[i], where + "."), "content"));
      messages.push_back({Role::kTool, std::move(text)});
      continue;
    }
    if (now.role == Role::kUser && type != "text") return no_text(type, where);
    if (now.role == Role::kUser && any && !now.content.ends_with('\n')) now.content += '\n';
    LFM_TRY(add_said(blocks[i], type, where, now));
    any = true;
  }
  any |= blocks.empty();
  end();
  return {};
}

Result<std::vector<Message>> read_conversation(const Fields& fields, std::size_t most) {
  LFM_ASSIGN(const Json* const list, fields.list("messages", most));
  if (list == nullptr) return wrong("messages", "is missing");
  if (list->empty()) return wrong("messages", "is empty");
  std::vector<Message> messages;
  LFM_ASSIGN(std::string system, text_of(fields, "system"));
  if (!system.empty()) messages.push_back({Role::kSystem, std::move(system)});
  for (std::size_t i = 0; i < list->size(); ++i) LFM_TRY(add_messages((*list)[i], place_of("messages", i), messages));
  return messages;
}

// Tools as OpenAI lists them, which is how models know them.
Result<ToolUse> read_anthropic_tools(const Fields& fields, std::size_t most) {
  LFM_ASSIGN(const Json* const list, fields.list("tools", most));
  if (list == nullptr || list->empty()) return ToolUse{};
  Json tools = Json::array();
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string place = place_of("tools", i);
    if (!(*list)[i].is_object()) return wrong(place, "isn't an object");
    const Fields tool((*list)[i], place + ".");
    LFM_ASSIGN(const auto type, tool.text("type"));
    if (type && *type != "custom")
      return not_supported_here(place + ".type", "there are tools of the client's alone, and no " + json_text(*type));
    Json function = Json::object();
    LFM_ASSIGN(function["name"], needed_text(tool, "name"));
    LFM_ASSIGN(const auto description, tool.text("description"));
    if (description) function["description"] = *description;
    LFM_ASSIGN(const Json* const schema, tool.object("input_schema"));
    function["parameters"] = schema == nullptr ? Json{{"type", "object"}, {"properties", Json::object()}} : *schema;
    LFM_ASSIGN(const auto strict, tool.flag("strict"));
    if (strict) function["strict"] = *strict;
    tools.push_back({{"type", "function"}, {"function", std::move(function)}});
  }
  return tool_use(tools);
}

Status read_anthropic_choice(const Fields& fields, ToolUse& use) {
  LFM_ASSIGN(const Json* const choice, fields.object("tool_choice"));
  if (choice == nullptr) return {};
  const Fields inner(*choice, "tool_choice.");
  LFM_ASSIGN(const std::string type, needed_text(inner, "type"));
  LFM_ASSIGN(const auto single, inner.flag("disable_parallel_tool_use"));
  use.rule.single = single.value_or(false);
  if (type != "tool") return read_tool_choice(type, use);
  LFM_ASSIGN(const std::string name, needed_text(inner, "name"));
  return read_tool_choice({{"name", name}}, use);
}

Status read_anthropic_thinking(const Fields& fields, ChatRequest& request) {
  LFM_ASSIGN(const Json* const thinking, fields.object("thinking"));
  if (thinking == nullptr) return {};
  const Fields inner(*thinking, "thinking.");
  LFM_ASSIGN(const std::string type, needed_text(inner, "type"));
  if (type == "disabled") {
    request.thinks = false;
    return {};
  }
  if (type != "enabled" && type != "adaptive")
    return wrong(inner.name("type"), "expected enabled, disabled or adaptive, not " + json_text(type));
  LFM_ASSIGN(const auto budget, inner.whole("budget_tokens", 0, INT32_MAX));
  if (budget) request.generate.thinking_budget = static_cast<std::size_t>(*budget);
  return {};
}

// "output_format", or "format" within "output_config".
Status read_anthropic_format(const Fields& fields, ChatRequest& request) {
  LFM_ASSIGN(const Json* format, fields.object("output_format"));
  std::string place = "output_format.";
  if (format == nullptr) {
    LFM_ASSIGN(const Json* const config, fields.object("output_config"));
    if (config == nullptr) return {};
    LFM_ASSIGN(format, Fields(*config, "output_config.").object("format"));
    place = "output_config.format.";
  }
  if (format == nullptr) return {};
  const Fields inner(*format, place);
  LFM_ASSIGN(const std::string type, needed_text(inner, "type"));
  if (type != "json_schema") return wrong(inner.name("type"), "expected json_schema, not " + json_text(type));
  const Json* const schema = inner.find("schema");
  if (schema == nullptr) return wrong(inner.name("schema"), "is missing");
  request.schema = json_text(*schema);
  request.schema_field = inner.name("schema");
  return {};
}

}  // namespace

Result<AnthropicRequest> read_anthropic(const Json& body, const Service& service) {
  const RequestLimits& limits = service.options().limits;
  const Fields fields(body);
  AnthropicRequest out;
  ChatRequest& request = out.request;
  LFM_TRY(check_model(fields, service.model(), service.options().strict_model));
  LFM_ASSIGN(request.messages, read_conversation(fields, limits.messages));
  LFM_TRY(read_generation(fields, service.model(), limits, request.generate));
  LFM_ASSIGN(request.generate.stop, fields.texts("stop_sequences", limits.stops, limits.stop_bytes));
  std::erase(request.generate.stop, std::string());
  LFM_ASSIGN(request.tools, read_anthropic_tools(fields, limits.tools));
  LFM_TRY(read_anthropic_choice(fields, request.tools));
  LFM_TRY(read_anthropic_thinking(fields, request));
  LFM_TRY(read_anthropic_format(fields, request));
  LFM_ASSIGN(const auto stream, fields.flag("stream"));
  out.stream = stream.value_or(false);
  return out;
}

}  // namespace lfm::serve
