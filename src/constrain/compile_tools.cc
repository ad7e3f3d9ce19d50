#include "constrain/compile_tools.h"

#include <algorithm>

#include "base/try.h"
#include "constrain/compile.h"
#include "constrain/schema/compiler.h"

namespace lfm::constrain {
namespace {

struct Tool {
  std::string name;
  const Json* parameters;
  std::string place;  // of the parameters
};

bool is_name(std::string_view name, std::string_view more) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [&](char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80 || more.find(c) != std::string_view::npos;
  });
}

const Json& no_parameters() {
  static const Json schema{.type = Json::Type::kObject,
                           .members = {{"type", Json{.type = Json::Type::kString, .text = "object"}},
                                       {"additionalProperties", Json{.type = Json::Type::kBoolean}}}};
  return schema;
}

Result<std::vector<Tool>> read_tools(const Json& list) {
  const auto wrong = [](std::string message, std::size_t index) {
    return Error{ErrorCode::kArgument, std::move(message), "tools", index};
  };
  if (!list.is(Json::Type::kArray) || list.items.empty()) return wrong("expected an array of tools", Error::kNone);
  std::vector<Tool> tools;
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    const Json* function = list.items[i].find("function");
    const Json& tool = function != nullptr && function->is_object() ? *function : list.items[i];
    const Json* name = tool.find("name");
    if (name == nullptr || !name->is(Json::Type::kString)) return wrong("a tool without a name", i);
    if (!is_name(name->text, ".-/:")) return wrong("a name that no call can be read with, \"" + name->text + "\"", i);
    const bool twice = std::any_of(tools.begin(), tools.end(), [&](const Tool& t) { return t.name == name->text; });
    if (twice) return wrong("a name that another tool has", i);
    const Json* parameters = tool.find("parameters");
    if (parameters == nullptr || parameters->is(Json::Type::kNull)) parameters = &no_parameters();
    tools.push_back({name->text, parameters, "/" + std::to_string(i) + (function == &tool ? "/function" : "") + "/parameters"});
  }
  return tools;
}

class ToolCompiler {
 public:
  ToolCompiler(Grammar& grammar, CallForm form) : grammar_(grammar), form_(form) {}

  Status add(const Tool& tool) {
    auto status = form_ == CallForm::kPython ? add_python(tool) : add_json(tool);
    if (status.ok()) return {};
    Error error = std::move(status).error();
    error.field = error.field == "schema" ? tool.place : tool.place + error.field;
    return error;
  }

  void finish(bool single) {
    const auto item = static_cast<NodeId>(grammar_.nodes.size());
    grammar_.nodes.push_back(std::move(calls_));
    grammar_.nodes.push_back({.arrays = {static_cast<std::uint32_t>(grammar_.arrays.size())}});
    grammar_.root = item + 1;
    grammar_.arrays.push_back({.items = item, .min = 1, .max = single ? 1 : kNoLimit});
  }

 private:
  Status add_python(const Tool& tool) {
    SchemaCompiler compiler(*tool.parameters, grammar_);
    LFM_ASSIGN(const auto objects, compiler.add_arguments(*tool.parameters));
    LFM_TRY(compiler.finish());
    for (const std::uint32_t id : objects) {
      std::vector<PropertyRule>& arguments = grammar_.objects[id].properties;
      for (const PropertyRule& argument : arguments) {
        if (argument.required && !is_name(argument.name, "")) {
          return Error{ErrorCode::kUnsupported, "an argument that no call can name, \"" + argument.name + "\""};
        }
      }
      std::erase_if(arguments, [](const PropertyRule& argument) { return !is_name(argument.name, ""); });
      grammar_.objects[id].rest.clear();
      grammar_.objects[id].rest_names = 0;
      calls_.calls.push_back({tool.name, id});
    }
    return {};
  }

  Status add_json(const Tool& tool) {
    SchemaCompiler compiler(*tool.parameters, grammar_);
    LFM_ASSIGN(const NodeId arguments, compiler.add(*tool.parameters));
    LFM_TRY(compiler.finish());
    Node objects;
    objects.objects = grammar_.nodes[arguments].objects;  // whatever else the schema would allow
    const auto name = static_cast<NodeId>(grammar_.nodes.size());
    std::string spelt = "\"";
    grammar_.notation.spellings[0].append(tool.name, spelt);
    grammar_.nodes.push_back({.scalar = grammar_.dfa.start(grammar_.dfa.pool().literal(spelt + "\""))});
    grammar_.nodes.push_back(std::move(objects));
    ObjectRule call;
    call.properties.push_back({"name", {"name"}, name, true});
    call.properties.push_back({"arguments", {"arguments"}, name + 1, true});
    calls_.objects.push_back(static_cast<std::uint32_t>(grammar_.objects.size()));
    grammar_.objects.push_back(std::move(call));
    return {};
  }

  Grammar& grammar_;
  CallForm form_;
  Node calls_;
};

}  // namespace

Result<std::shared_ptr<Grammar>> compile_tools(std::string_view text, const CallRules& rules) {
  if (text.size() > kMaxSchemaBytes) return Error{ErrorCode::kLimit, "tools of more than 1 MiB", "tools"};
  LFM_ASSIGN(const Json list, parse_json(text, "tools"));
  LFM_ASSIGN(const std::vector<Tool> tools, read_tools(list));
  auto grammar = std::make_shared<Grammar>();
  if (rules.form == CallForm::kPython) grammar->notation = Notation::python_calls();
  ToolCompiler compiler(*grammar, rules.form);
  bool found = false;
  for (const Tool& tool : tools) {
    if (!rules.only.empty() && tool.name != rules.only) continue;
    found = true;
    LFM_TRY(compiler.add(tool));
  }
  if (!found) return Error{ErrorCode::kArgument, "there is no tool \"" + rules.only + "\"", "tool_choice"};
  compiler.finish(rules.single);
  grammar->prune();
  if (grammar->dfa.failed()) return Error{ErrorCode::kLimit, "too many states, or too much work", "tools"};
  if (grammar->nodes[grammar->root].height == kNever) {
    return Error{ErrorCode::kArgument, "no arguments satisfy the tools' schemas", "tools"};
  }
  return grammar;
}

}  // namespace lfm::constrain
