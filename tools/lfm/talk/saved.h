// Conversations as JSON: the file that /save writes and /load reads.
//
//   {"format": "lfm chat", "version": 1, "model": "LFM2-8B-A1B", "system": "Be brief.", "tools": [...],
//    "messages": [{"role": "user", "content": "Hello"},
//                 {"role": "assistant", "content": "...", "reasoning": "...",
//                  "tool_calls": [{"name": "f", "arguments": {...}}], "tokens": [1, 2]},
//                 {"role": "tool", "content": "..."}]}
//
// Messages are those of talk/message_json.h. It is all that a conversation is, for any model and for a person to read. Beside it, in FILE.state, lies what the
// network remembers of it (Session::save()), which only spares reading it again.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lfm/result.h"
#include "talk/conversation.h"

namespace lfm::cli {

inline constexpr std::size_t kSavedBytes = std::size_t{64} << 20;  // of a file that is read

// `model` is its name. Text that isn't UTF-8 is made so.
std::string to_json(const Conversation& conversation, std::string_view model);

// Whatever the text is. kFormat with the field, and the index of the message, that is to blame.
Result<Conversation> conversation_from_json(std::string_view text);

// A JSON array of objects as a tool list has it, checked and without superfluous white space. kFormat.
Result<std::string> tools_from_json(std::string_view text);

// What there is to show of such a list: "name: description".
std::vector<std::string> tool_lines(std::string_view tools);

// Writes the file so that it is there completely or as it was before, for its owner alone. A file that is there already
// is only replaced where it is a saved conversation: kArgument. kIo.
Status write_saved(const std::string& path, std::string_view json);

// kIo, kLimit; kFormat as conversation_from_json().
Result<Conversation> read_saved(const std::string& path);

}  // namespace lfm::cli
