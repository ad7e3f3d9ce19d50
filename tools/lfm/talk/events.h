// What `lfm chat --json` prints: one JSON object a line, with the key "event".
//
//   {"event":"ready","model":"LFM2-8B-A1B","form":"lfm2","context_tokens":32768}
//   {"event":"reasoning","text":"..."}   pieces of the thinking, and
//   {"event":"text","text":"..."}        of the answer, as they come
//   {"event":"tool_call","name":"f","arguments":{...},"text":"f(a=1)"}
//   {"event":"malformed_call","text":"...","error":"..."}
//   {"event":"finish","reason":"end","tool_calls":0,"tokens":12,...}   the answer is over; statistics
//   {"event":"done","command":"/undo","lines":["..."]}   a command was obeyed
//   {"event":"error","code":"argument","message":"..."}  a line of the input couldn't be
#pragma once

#include <string>

#include "lfm/chat.h"
#include "talk/json_text.h"
#include "talk/request.h"
#include "talk/talk.h"

namespace lfm::cli {

Json ready_event(const Talk& talk, std::size_t context_tokens);
Json piece_event(const Piece& piece);
Json finish_event(const Answer& answer, double prompt_seconds);
Json done_event(const std::string& command, const std::vector<std::string>& lines);
Json error_event(const Error& error);

// A line of the input of `lfm chat --json`. One that begins with { is an object with the keys "role" (user or tool),
// "content", and for a question that takes the place of an earlier one and of all that followed it, "edit": its number.
// Any other line is what it would be at the prompt.
struct ScriptLine {
  Request request;  // kSay with a message, kEdit with its number and the new text, or a command
  Role role = Role::kUser;
};

// kFormat, kArgument.
Result<ScriptLine> parse_script_line(const std::string& line);

}  // namespace lfm::cli
