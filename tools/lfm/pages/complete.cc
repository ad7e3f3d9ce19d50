#include "pages/pages.h"

namespace lfm::cli::pages {
namespace {

std::string joined(const std::vector<std::string>& words, const char* between) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : between) + word;
  return out;
}

// In single quotes for a shell; `escapes` are characters that get a backslash within them.
std::string quoted(const std::string& text, const char* escapes, const char* quote) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += quote;
    } else if (std::string(escapes).find(c) != std::string::npos) {
      out += std::string("\\") + c;
    } else {
      out += c == '\n' ? ' ' : c;
    }
  }
  return out + "'";
}

std::string all_names(const CommandOf& command) {
  std::vector<std::string> all;
  for (const OptionOf& option : command.options) all.insert(all.end(), option.names.begin(), option.names.end());
  return joined(all, " ");
}

std::vector<std::string> names_of(const std::vector<CommandOf>& commands) {
  std::vector<std::string> all;
  for (const CommandOf& command : commands) all.push_back(command.name);
  return all;
}

// What bash does about the value of an option.
std::string bash_value(const OptionOf& option) {
  if (!option.choices.empty()) return "COMPREPLY=($(compgen -W '" + joined(option.choices, " ") + "' -- \"$word\"))";
  return option.takes_file() ? "compopt -o filenames; COMPREPLY=($(compgen -f -- \"$word\"))" : ":";
}

std::string bash_command(const CommandOf& command) {
  std::string out = "    " + command.name + ")\n      case $before in\n";
  for (const OptionOf& option : command.options) {
    if (!option.names.empty() && !option.value.empty())
      out += "        " + joined(option.names, "|") + ") " + bash_value(option) + "; return ;;\n";
  }
  return out + "      esac\n      options='" + all_names(command) + "' ;;\n";
}

std::string zsh_option(const OptionOf& option) {
  std::string action;
  if (!option.value.empty()) {
    action = ":" + option.value + ":";
    if (!option.choices.empty()) action += "(" + joined(option.choices, " ") + ")";
    if (option.choices.empty() && option.takes_file()) action += "_files";
  }
  const auto escaped = [](const std::string& text) { return quoted(text, "[]:", "'\\''"); };
  if (option.names.empty()) return " \\\n        '*" + action + "'";
  const std::string help = escaped(option.help);
  std::string out;
  for (const std::string& name : option.names) {
    out += " \\\n        '(" + joined(option.names, " ") + ")" + name + "[" + help.substr(1, help.size() - 2) + "]" +
           action + "'";
  }
  return out;
}

std::string fish_option(const CommandOf* command, const OptionOf& option) {
  std::string out = "complete -c lfm -n ";
  out += command != nullptr ? "'__fish_seen_subcommand_from " + command->name + "'" : "__fish_use_subcommand";
  for (const std::string& name : option.names) {
    const bool is_long = name.starts_with("--");
    out += is_long ? " -l " + name.substr(2) : (name.size() == 2 ? " -s " : " -o ") + name.substr(1);
  }
  if (!option.value.empty()) {
    out += option.takes_file() ? " -r -F" : " -x";
    if (!option.choices.empty()) out += " -a '" + joined(option.choices, " ") + "'";
  }
  return out + " -d " + quoted(option.help, "\\", "\\'") + "\n";
}

}  // namespace

std::string bash_completion(const CommandOf& program, const std::vector<CommandOf>& commands) {
  std::string out =
      "# bash completion for lfm\n"
      "_lfm() {\n"
      "  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} options\n"
      "  COMPREPLY=()\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    COMPREPLY=($(compgen -W '" +
      joined(names_of(commands), " ") + " " + all_names(program) +
      "' -- \"$word\"))\n"
      "    return\n"
      "  fi\n"
      "  case ${COMP_WORDS[1]} in\n";
  for (const CommandOf& command : commands) out += bash_command(command);
  return out +
         "  esac\n"
         "  if [[ $word == -* ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
         "  else\n"
         "    compopt -o filenames\n"
         "    COMPREPLY=($(compgen -f -- \"$word\"))\n"
         "  fi\n"
         "} && complete -F _lfm lfm\n";
}

std::string zsh_completion(const CommandOf& program, const std::vector<CommandOf>& commands) {
  std::string out = "#compdef lfm\n\nlocal -a commands=(\n";
  for (const CommandOf& command : commands)
    out += "  " + quoted(command.name + ":" + command.title, "", "'\\''") + "\n";
  out += ")\n\nif ((CURRENT == 2)); then\n  _describe command commands\n  _arguments";
  for (const OptionOf& option : program.options) out += zsh_option(option);
  out += "\n  return\nfi\n\nlocal command=$words[2]\nshift words\n((CURRENT--))\ncase $command in\n";
  for (const CommandOf& command : commands) {
    out += "  " + command.name + ")\n    _arguments -s";
    for (const OptionOf& option : command.options) out += zsh_option(option);
    out += " ;;\n";
  }
  return out + "esac\n";
}

std::string fish_completion(const CommandOf& program, const std::vector<CommandOf>& commands) {
  std::string out = "# fish completion for lfm\ncomplete -c lfm -n __fish_use_subcommand -f\n";
  for (const CommandOf& command : commands) {
    out += "complete -c lfm -n __fish_use_subcommand -a " + command.name + " -d " + quoted(command.title, "\\", "\\'") +
           "\n";
  }
  for (const OptionOf& option : program.options) out += fish_option(nullptr, option);
  for (const CommandOf& command : commands) {
    for (const OptionOf& option : command.options) {
      if (!option.names.empty()) out += fish_option(&command, option);
    }
  }
  return out;
}

}  // namespace lfm::cli::pages
