// What `lfm chat --json` prints: one JSON object a line, with the key "event".
//
//   {"event":"ready","model":"LFM2-8B-A1B","form":"lfm2","context_tokens":32768}
//   {"event":"reasoning","text":"..."}   pieces of the thinking, and
//   {"event":"text","text":"..."}        of the answer, as they come
//   {"event":"tool_call","name":"f","arguments":{...},"text":"f(a=1)"}
//   {"event":"malformed_call","text":"...","error":"..."}
//   {"event":"finish","reason":"end","text":"...","tool_calls":0,...}  the answer is over; its text, and statistics
//   {"event":"done","command":"/undo","lines":["..."]}   a command was obeyed
//   {"event":"error","code":"argument","message":"..."}  a line of the input couldn't be
#pragma once

#include <string>
#include <vector>

#include "lfm/chat.h"
#include "talk/request.h"
#include "talk/talk.h"

namespace lfm::cli {

std::string ready_event(const Talk& talk, std::size_t context_tokens);
std::string piece_event(const Piece& piece);
std::string finish_event(const Answer& answer, double prompt_seconds);
std::string done_event(const std::string& command, const std::vector<std::string>& lines);
std::string error_event(const Error& error);

// A line of the input of `lfm chat --json`. One that begins with { is a message (talk/message_json.h): a question, a
// tool's result, the system prompt, or what the model is taken to have answered. A question that takes the place of an
// earlier one and of all that followed it has the key "edit": its number. Any other line is what it would be at the
// prompt.
struct ScriptLine {
  Request request;       // kSay, kEdit with its number, or a command
  Message message = {};  // of kSay and kEdit
};

// kFormat, kArgument.
Result<ScriptLine> parse_script_line(const std::string& line);

}  // namespace lfm::cli
