#include "talk/obey.h"

#include <cstdio>

#include "base/try.h"
#include "input.h"
#include "io.h"
#include "sampling_flags.h"
#include "talk/saved.h"
#include "user_folders.h"

namespace lfm::cli {
namespace {

using Lines = std::vector<std::string>;

std::string count_of(std::size_t n, const char* one) {
  return std::to_string(n) + " " + one + (n == 1 ? "" : "s");
}

std::string rate_text(std::size_t tokens, double seconds) {
  char text[96];
  std::snprintf(text, sizeof(text), "%zu in %.2f s (%.1f/s)", tokens, seconds,
                seconds > 0 ? static_cast<double>(tokens) / seconds : 0.0);
  return text;
}

Result<Lines> system_prompt(Talk& talk, const Request& request) {
  const std::string& now = talk.conversation().system;
  if (request.text.empty()) return Lines{now.empty() ? "no system prompt" : now};
  talk.set_system(request.text == "clear" ? "" : request.text);
  return Lines{now.empty() ? "system prompt removed" : "system prompt set; the next answer follows it"};
}

Result<Lines> undo(Talk& talk, const Request& request) {
  LFM_TRY(talk.undo(request.number == 0 ? 1 : request.number));
  return Lines{count_of(talk.conversation().questions(), "question") + " left"};
}

std::string spelt(const ToolCall& call) {
  return call.name + " " + call.arguments;
}

Result<Lines> show(const Talk& talk) {
  Lines lines;
  if (!talk.conversation().system.empty()) lines.push_back("system: " + talk.conversation().system);
  std::size_t questions = 0;
  for (const Message& message : talk.conversation().messages) {
    std::string label = to_string(message.role);
    if (message.role == Role::kUser) label = std::to_string(++questions);
    if (!message.content.empty()) lines.push_back(label + ": " + message.content);
    for (const ToolCall& call : message.tool_calls) lines.push_back(label + " calls " + spelt(call));
  }
  if (lines.empty()) lines.emplace_back("nothing was said yet");
  return lines;
}

Lines with_notes(std::string first, const Lines& notes) {
  Lines lines = {std::move(first)};
  for (const std::string& note : notes) lines.push_back("note: " + note);
  return lines;
}

Result<Lines> save(Talk& talk, const Request& request) {
  LFM_ASSIGN(const Lines notes, talk.save(with_home(request.text)));
  return with_notes("saved to " + request.text, notes);
}

Result<Lines> load(Talk& talk, const Request& request) {
  LFM_ASSIGN(const Lines notes, talk.load(with_home(request.text)));
  return with_notes(count_of(talk.conversation().questions(), "question") + " loaded; /show shows them", notes);
}

Result<Lines> tools(Talk& talk, const Request& request) {
  if (!request.text.empty()) {
    LFM_ASSIGN(std::string list, read_tools(request.text));
    LFM_TRY(talk.set_tools(std::move(list)));
  }
  Lines lines = tool_lines(talk.conversation().tools);
  if (lines.empty()) lines.emplace_back("no tools");
  return lines;
}

Result<Lines> stats(Talk& talk) {
  const Tally& tally = talk.tally();
  const SessionStats& all = talk.session().stats();
  const std::size_t held = talk.session().tokens().size();
  Lines lines;
  if (tally.answers > 0) {
    const Answer& last = tally.last;
    lines.push_back("last prompt   " + count_of(last.prompt.reused + last.prompt.evaluated, "token") + ": " +
                    std::to_string(last.prompt.reused) + " reused, " +
                    rate_text(last.prompt.evaluated, tally.last_prompt_seconds) + " read");
    lines.push_back("last answer   " + rate_text(last.finish.tokens, last.finish.seconds) + ", " +
                    std::to_string(last.finish.reasoning_tokens) + " of them thinking; ended by " +
                    to_string(last.finish.reason));
  }
  lines.push_back("all prompts   " + std::to_string(tally.reused_tokens) + " reused, " +
                  rate_text(all.prompt_tokens, all.prompt_seconds) + " read");
  lines.push_back("all answers   " + rate_text(all.generated_tokens, all.generate_seconds));
  if (all.drafted_tokens > 0) lines.push_back("drafts        " + drafts_text(all));
  lines.push_back("context       " + std::to_string(held) + " of " +
                  count_of(talk.session().context_tokens(), "token"));
  lines.push_back("memory        " + bytes_text(static_cast<double>(peak_memory_bytes())) + " at most");
  return lines;
}

}  // namespace

Result<std::string> read_tools(const std::string& path) {
  if (path == "clear") return std::string();
  LFM_ASSIGN(const std::string text, read_input(with_home(path)));
  auto list = tools_from_json(text);
  if (!list.ok()) return Error{ErrorCode::kFormat, list.error().describe(), path};
  return list;
}

Result<Lines> obey(Talk& talk, const Request& request) {
  switch (request.verb) {
    case Verb::kHelp:
      return help_lines();
    case Verb::kSystem:
      return system_prompt(talk, request);
    case Verb::kUndo:
      return undo(talk, request);
    case Verb::kShow:
      return show(talk);
    case Verb::kSave:
      return save(talk, request);
    case Verb::kLoad:
      return load(talk, request);
    case Verb::kTools:
      return tools(talk, request);
    case Verb::kStats:
      return stats(talk);
    case Verb::kClear:
      talk.clear();
      return Lines{"cleared"};
    case Verb::kSay:
    case Verb::kEdit:
    case Verb::kRegenerate:
    case Verb::kExit:
      break;
  }
  return Error{ErrorCode::kState, "this asks the model"};
}

}  // namespace lfm::cli
