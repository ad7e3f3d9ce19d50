#include "pages/options_of.h"

#include <CLI/CLI.hpp>

namespace lfm::cli::pages {
namespace {

// "TEXT:{auto,map}" as its two parts.
void read_type(const std::string& type, OptionOf& out) {
  const std::size_t brace = type.find(":{");
  out.value = type.substr(0, brace);
  if (brace == std::string::npos) return;
  const std::string list = type.substr(brace + 2, type.size() - brace - 3);
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    out.choices.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  out.value.clear();
  for (const std::string& choice : out.choices) out.value += (out.value.empty() ? "" : "|") + choice;
}

OptionOf describe(const CLI::Option& option) {
  OptionOf out;
  for (const std::string& name : option.get_snames()) out.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) out.names.push_back("--" + name);
  if (option.get_items_expected_max() > 0) {
    read_type(option.get_type_name(), out);
    if (out.value.empty()) out.value = out.names.empty() ? option.get_name() : "TEXT";
  }
  out.standard = option.get_default_str();
  out.help = option.get_description();
  out.required = option.get_required();
  return out;
}

}  // namespace

CommandOf describe(const CLI::App& app) {
  CommandOf out;
  out.name = app.get_name();
  const std::string description = app.get_description();
  const std::size_t line = description.find('\n');
  out.title = description.substr(0, line);
  if (line != std::string::npos) out.more = description.substr(line + 1);
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty()) out.options.push_back(describe(*option));
  }
  return out;
}

std::vector<CommandOf> commands_of(const CLI::App& program) {
  std::vector<CommandOf> out;
  for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; })) {
    out.push_back(describe(*command));
  }
  return out;
}

}  // namespace lfm::cli::pages
