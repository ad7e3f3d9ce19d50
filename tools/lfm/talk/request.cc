#include "talk/request.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace lfm::cli {
namespace {

enum class Takes { kNothing, kNumber, kText, kFile, kFileOrNothing };

struct Form {
  Verb verb;
  std::string_view name;
  Takes takes;
  std::string_view argument;
  std::string_view help;
};

constexpr std::array kForms = {
    Form{Verb::kHelp, "/help", Takes::kNothing, "", "this list"},
    Form{Verb::kSystem, "/system", Takes::kText, "[TEXT]", "show or set the system prompt; /system clear removes it"},
    Form{Verb::kUndo, "/undo", Takes::kNumber, "[N]", "forget your last N messages (1) and what came after them"},
    Form{Verb::kEdit, "/edit", Takes::kNumber, "[N]", "change your message N (the last) and answer it again"},
    Form{Verb::kRegenerate, "/regen", Takes::kNothing, "", "answer the last message again"},
    Form{Verb::kShow, "/show", Takes::kNothing, "", "the conversation, your messages with their numbers"},
    Form{Verb::kSave, "/save", Takes::kFile, "FILE", "write the conversation to a file"},
    Form{Verb::kLoad, "/load", Takes::kFile, "FILE", "go on with a saved conversation"},
    Form{Verb::kTools, "/tools", Takes::kFileOrNothing, "[FILE]",
         "show the tools, or read them from a JSON list; "
         "/tools clear removes them"},
    Form{Verb::kStats, "/stats", Takes::kNothing, "", "tokens, speed, and what was reused"},
    Form{Verb::kClear, "/clear", Takes::kNothing, "", "forget the conversation; system prompt and tools stay"},
    Form{Verb::kExit, "/exit", Takes::kNothing, "", "leave; so do Ctrl-D, and Ctrl-C twice"},
};

// What they are called in Ollama, llama.cpp and elsewhere.
constexpr std::pair<std::string_view, std::string_view> kOtherNames[] = {
    {"/bye", "/exit"},    {"/quit", "/exit"}, {"/?", "/help"},
    {"/reset", "/clear"}, {"/new", "/clear"}, {"/retry", "/regen"},
};

constexpr std::string_view kSpaces = " \t\r\n";

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

Error wrong(const Form& form, std::string_view what) {
  std::string usage = std::string(form.name) + (form.argument.empty() ? "" : " ") + std::string(form.argument);
  return Error{ErrorCode::kArgument, std::string(form.name) + " " + std::string(what) + ": " + usage};
}

Result<Request> read_argument(const Form& form, std::string_view argument) {
  Request request{form.verb, std::string(argument)};
  switch (form.takes) {
    case Takes::kNothing:
      if (!argument.empty()) return wrong(form, "stands alone");
      break;
    case Takes::kNumber:
      if (!argument.empty()) {
        const auto [end, code] = std::from_chars(argument.begin(), argument.end(), request.number);
        if (code != std::errc() || end != argument.end() || request.number == 0)
          return wrong(form, "takes a number from 1");
      }
      break;
    case Takes::kFile:
      if (argument.empty()) return wrong(form, "needs a file");
      break;
    case Takes::kText:
    case Takes::kFileOrNothing:
      break;
  }
  return request;
}

}  // namespace

Result<Request> parse_request(std::string_view line) {
  if (!line.starts_with('/')) return Request{Verb::kSay, std::string(line)};
  if (line.starts_with("//")) return Request{Verb::kSay, std::string(line.substr(1))};
  const std::size_t end = std::min(line.find_first_of(kSpaces), line.size());
  std::string_view name = line.substr(0, end);
  if (name.find_first_of("/*", 1) != std::string_view::npos) return Request{Verb::kSay, std::string(line)};
  for (const auto& [other, ours] : kOtherNames) {
    if (name == other) name = ours;
  }
  for (const Form& form : kForms) {
    if (form.name == name) return read_argument(form, trim(line.substr(end)));
  }
  return Error{ErrorCode::kArgument, "no command " + std::string(name) +
                                         "; /help lists them, and // begins a message that begins with a slash"};
}

std::vector<std::string> help_lines() {
  std::vector<std::string> lines;
  for (const Form& form : kForms) {
    std::string line = std::string(form.name) + " " + std::string(form.argument);
    line.resize(16, ' ');
    lines.push_back(line + std::string(form.help));
  }
  lines.emplace_back(
      "A line that ends in \\ goes on in the next, and so does Alt-Enter; \"\"\" begins and ends a message of "
      "many lines.");
  lines.emplace_back("Ctrl-C stops the answer. What was pasted is one message, whatever it begins or ends with.");
  return lines;
}

std::vector<std::string> complete_command(std::string_view beginning) {
  std::vector<std::string> found;
  for (const Form& form : kForms) {
    if (form.name.starts_with(beginning)) found.emplace_back(form.name);
  }
  return found;
}

}  // namespace lfm::cli
