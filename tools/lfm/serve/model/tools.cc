#include "serve/model/tools.h"

#include <algorithm>
#include <charconv>

#include "base/try.h"

namespace lfm::serve {
namespace {

// Where a schema has others in it, by name or in a list, and where one.
constexpr const char* kNamed[] = {"properties", "patternProperties", "$defs", "definitions"};
constexpr const char* kListed[] = {"anyOf", "oneOf", "prefixItems"};
constexpr const char* kSingle[] = {"items", "additionalProperties"};

void close(Json& schema) {
  if (schema.is_array()) {
    for (Json& each : schema) close(each);
    return;
  }
  if (!schema.is_object()) return;
  for (const char* const name : kNamed) {
    if (const auto found = schema.find(name); found != schema.end() && found->is_object()) {
      for (Json& each : *found) close(each);
    }
  }
  for (const char* const name : kListed) {
    if (const auto found = schema.find(name); found != schema.end() && found->is_array()) close(*found);
  }
  for (const char* const name : kSingle) {
    if (const auto found = schema.find(name); found != schema.end()) close(*found);
  }
  if (schema.contains("properties") && !schema.contains("additionalProperties")) schema["additionalProperties"] = false;
}

std::string place_of(std::size_t index) {
  return "tools[" + std::to_string(index) + "]";
}

}  // namespace

Json closed(const Json& schema) {
  Json out = schema;
  close(out);
  return out;
}

Result<ToolUse> tool_use(const Json& tools) {
  Json strict = Json::array();
  for (const Json& tool : tools) {
    const std::string place = place_of(strict.size());
    if (!tool.is_object()) return wrong(place, "isn't an object");
    LFM_ASSIGN(const auto type, Fields(tool, place + ".").text("type"));
    if (type && *type != "function") {
      return Error{ErrorCode::kUnsupported, "there are functions alone, and no " + json_text(*type), place + ".type"};
    }
    const bool nested = tool.contains("function");
    const Json& function = nested ? tool["function"] : tool;
    if (!function.is_object()) return wrong(place + ".function", "isn't an object");
    const Fields fields(function, place + (nested ? ".function." : "."));
    LFM_ASSIGN(const auto name, fields.text("name"));
    if (!name || name->empty()) return wrong(fields.name("name"), "is missing");
    LFM_ASSIGN(const Json* const parameters, fields.object("parameters"));
    LFM_ASSIGN(const auto asked, fields.flag("strict"));
    Json held = {{"name", *name}};
    held["parameters"] = parameters == nullptr ? Json{{"type", "object"}, {"properties", Json::object()}}
                                               : (asked.value_or(false) ? closed(*parameters) : *parameters);
    if (asked.value_or(false)) held["strict"] = true;
    strict.push_back(std::move(held));
  }
  return ToolUse{json_text(tools), json_text(strict)};
}

namespace {

Result<std::string> called_name(const Json& choice) {
  if (!choice.is_object()) return wrong("tool_choice", "expected a word or an object");
  const bool nested = choice.contains("function") && choice["function"].is_object();
  LFM_ASSIGN(auto name, Fields(nested ? choice["function"] : choice, "tool_choice.").text("name"));
  if (!name) return wrong("tool_choice", "names no function");
  return *std::move(name);
}

// Some of the tools, which the model knows all of: {"mode", "tools": [...]}.
Status allow_only(const Json& choice, ToolUse& use) {
  const Fields fields(choice, "tool_choice.");
  LFM_ASSIGN(const auto mode, fields.text("mode"));
  if (mode && *mode != "auto" && *mode != "required")
    return wrong("tool_choice.mode", "expected auto or required, not " + json_text(*mode));
  LFM_ASSIGN(const Json* const named, fields.list("tools", SIZE_MAX));
  if (named == nullptr || named->empty()) return wrong("tool_choice.tools", "is missing");
  LFM_ASSIGN(const Json all, cli::parse_json(use.strict));
  Json allowed = Json::array();
  for (const Json& each : *named) {
    LFM_ASSIGN(const std::string name, called_name(each));
    const auto found = std::find_if(all.begin(), all.end(), [&](const Json& tool) { return tool["name"] == name; });
    if (found == all.end()) return wrong("tool_choice", "there is no tool " + json_text(name));
    allowed.push_back(*found);
  }
  use.strict = json_text(allowed);
  if (mode && *mode == "required") use.rule.choice = ToolChoice::kRequired;
  return {};
}

}  // namespace

Status read_tool_choice(const Json& choice, ToolUse& use) {
  const auto needs_tools = [&]() -> Status {
    if (use.list.empty()) return wrong("tool_choice", "asks for a call, and there are no tools");
    return {};
  };
  if (choice.is_string()) {
    const std::string word = choice.get<std::string>();
    if (word == "auto") return {};
    if (word == "none") return use.rule.choice = ToolChoice::kNone, Status();
    if (word != "required" && word != "any")
      return wrong("tool_choice", "expected none, auto, required or a function, not " + json_text(choice));
    use.rule.choice = ToolChoice::kRequired;
    return needs_tools();
  }
  if (choice.is_object() && choice.contains("type") && choice["type"] == "allowed_tools") {
    LFM_TRY(needs_tools());
    const auto inner = choice.find("allowed_tools");
    return allow_only(inner != choice.end() && inner->is_object() ? *inner : choice, use);
  }
  LFM_ASSIGN(use.rule.only, called_name(choice));
  use.rule.choice = ToolChoice::kRequired;
  return needs_tools();
}

std::string place_in_list(const ToolUse& use, const std::string& place) {
  const auto held = cli::parse_json(use.strict), given = cli::parse_json(use.list);
  const std::size_t end = std::min(place.find('/', 1), place.size());
  std::size_t at = 0;
  const auto read = std::from_chars(place.data() + 1, place.data() + end, at);
  if (!held.ok() || !given.ok() || read.ec != std::errc() || at >= held->size()) return place;
  const Json& name = (*held)[at]["name"];
  for (std::size_t i = 0; i < given->size(); ++i) {
    const Json& tool = (*given)[i];
    const bool nested = tool.contains("function");
    if ((nested ? tool["function"] : tool)["name"] != name) continue;
    return "/" + std::to_string(i) + (nested ? "/function" : "") + place.substr(end);
  }
  return place;
}

Result<std::string> relaxed(const std::string& tools, const std::function<bool(const std::string& schema)>& holds) {
  LFM_ASSIGN(Json list, cli::parse_json(tools));
  for (Json& tool : list) {
    if (!tool.contains("strict") && !holds(json_text(tool["parameters"]))) tool["parameters"] = {{"type", "object"}};
  }
  return json_text(list);
}

}  // namespace lfm::serve
