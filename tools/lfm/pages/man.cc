#include <algorithm>
#include <cctype>

#include "pages/pages.h"

namespace lfm::cli::pages {
namespace {

// As text: nothing in it is a request or an escape.
std::string plain(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) {
      out += std::string("\\&") + c;
    } else {
      out += c;
    }
  }
  return out;
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

std::string header(const std::string& name, const std::string& title) {
  return ".TH " + upper(plain(name)) + " 1 \"\" \"lfm " LFM_VERSION "\" \"User Commands\"\n.SH NAME\n" + plain(name) +
         " \\- " + plain(title) + "\n.SH SYNOPSIS\n";
}

std::string options(const CommandOf& command) {
  std::string out;
  for (const OptionOf& option : command.options) {
    out += ".TP\n";
    std::string names;
    for (const std::string& name : option.names) names += (names.empty() ? "\\fB" : ", \\fB") + plain(name) + "\\fR";
    out += names;
    if (!option.value.empty()) out += (names.empty() ? "\\fI" : " \\fI") + plain(option.value) + "\\fR";
    out += '\n' + plain(option.help);
    if (!option.standard.empty()) out += " (default: " + plain(option.standard) + ")";
    if (option.required) out += ". Required";
    out += '\n';
  }
  return out;
}

}  // namespace

std::string man_page(const CommandOf& program, const std::vector<CommandOf>& commands) {
  std::string out = header(program.name, program.title.substr(0, program.title.find_last_not_of('.') + 1));
  out += ".B " + program.name + "\n.I COMMAND\n[\\fIOPTIONS\\fR]\n.SH COMMANDS\n";
  for (const CommandOf& command : commands) {
    out += ".TP\n.BR " + program.name + '\\' + "-" + command.name + "(1)\n" + plain(command.title) + '\n';
  }
  out += ".SH OPTIONS\n" + options(program) + ".SH EXIT STATUS\n" + plain(program.more) + '\n';
  out +=
      ".SH ENVIRONMENT\n.TP\n.B LFM_ISA\nforces an instruction set: scalar, avx2, avxvnni, avx512vnni; on ARM neon, "
      "dotprod, i8mm\n";
  return out;
}

std::string man_page(const CommandOf& command, const std::string& program) {
  std::string out = header(program + '-' + command.name, command.title);
  out += ".B " + program + ' ' + command.name + "\n[\\fIOPTIONS\\fR]";
  for (const OptionOf& option : command.options) {
    if (option.names.empty()) out += " \\fI" + plain(option.value) + "\\fR";
  }
  out += '\n';
  if (!command.more.empty()) out += ".SH DESCRIPTION\n" + plain(command.more) + '\n';
  return out + ".SH OPTIONS\n" + options(command) + ".SH SEE ALSO\n.BR " + program + "(1)\n";
}

}  // namespace lfm::cli::pages
