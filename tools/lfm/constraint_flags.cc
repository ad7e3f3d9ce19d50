#include "constraint_flags.h"

#include "base/try.h"
#include "input.h"

namespace lfm::cli {
namespace {

bool is_json(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return (first != std::string_view::npos && text[first] == '{') || text == "true" || text == "false";
}

// "person.json: /properties/age/contains": where a person looks for it.
template <typename T>
Result<std::optional<Constraint>> placed(Result<T> made, const std::string& place, const char* whole) {
  if (made.ok()) return std::optional<Constraint>(*std::move(made));
  Error error = std::move(made).error();
  error.field = error.field.empty() || error.field == whole ? place : place + ": " + error.field;
  return error;
}

}  // namespace

void ConstraintFlags::add_to(Command& command, const char* tools_help, const Option* excluded) {
  const Option text = command
                          .text("-j,--json-schema", schema,
                                "the answer is JSON that this schema allows, given as JSON or as a file with it")
                          .type("FILE|TEXT");
  const Option file =
      command.text("--json-schema-file", schema_file, "likewise, always a file (also -jf); - is standard input")
          .type("FILE")
          .excludes(text);
  const Option pattern =
      command.text("--regex", regex, "the answer is what this regular expression matches from end to end")
          .excludes(text)
          .excludes(file);
  const Option list = command.text("--tools", tools, tools_help).type("FILE");
  Option calls =
      command.text("--tool-choice", choice,
                   "hold calls to the tools' schemas: auto (the model may call), none (it may not), required "
                   "(calls are all it says) or the name of the one tool to be called");
  calls.type("auto|none|required|NAME").needs(list).excludes(text).excludes(file).excludes(pattern);
  if (excluded == nullptr) return;
  for (Option option : {text, file, pattern, calls}) option.excludes(*excluded);
}

std::optional<ToolConstraint> ConstraintFlags::tool_choice() const {
  if (choice.empty()) return std::nullopt;
  if (choice == "auto") return ToolConstraint{.choice = ToolChoice::kAuto};
  if (choice == "none") return ToolConstraint{.choice = ToolChoice::kNone};
  if (choice == "required") return ToolConstraint{.choice = ToolChoice::kRequired};
  return ToolConstraint{.choice = ToolChoice::kRequired, .only = choice};
}

Result<std::optional<Constraint>> ConstraintFlags::constraint(const std::string& tool_list) const {
  if (regex) return placed(Constraint::from_regex(*regex), "--regex", "pattern");
  if (const auto calls = tool_choice()) {
    auto made = Constraint::from_tools(tool_list, *calls);
    const bool name = !made.ok() && made.error().field == "tool_choice";
    return placed(std::move(made), name ? "--tool-choice" : tools, name ? "tool_choice" : "tools");
  }
  if (schema.empty() && schema_file.empty()) return std::optional<Constraint>();
  if (schema_file.empty() && is_json(schema))
    return placed(Constraint::from_json_schema(schema), "--json-schema", "schema");
  const std::string& path = schema_file.empty() ? schema : schema_file;
  LFM_ASSIGN(const std::string json, read_input(path));
  return placed(Constraint::from_json_schema(json), path, "schema");
}

}  // namespace lfm::cli
