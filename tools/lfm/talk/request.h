// What a line at the prompt asks for: a message for the model, or one of the commands that begin with a slash.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lfm/result.h"

namespace lfm::cli {

enum class Verb {
  kSay,
  kHelp,
  kSystem,
  kUndo,
  kEdit,
  kRegenerate,
  kShow,
  kSave,
  kLoad,
  kTools,
  kStats,
  kClear,
  kExit,
};

struct Request {
  Verb verb = Verb::kSay;
  std::string text;        // the message; or what follows the command, without the spaces around it
  std::size_t number = 0;  // of a command that takes one; 0 where none is given
};

// A line that begins with one slash is a command; "//" begins a message that begins with a slash. A first word with
// another slash in it, or a star, is no command either: paths, and comments of C, are messages. kArgument with a
// sentence for the person who typed it.
Result<Request> parse_request(std::string_view line);

// The lines of /help, without line breaks.
std::vector<std::string> help_lines();

// Commands, with their slash, that begin with these characters: what Tab offers.
std::vector<std::string> complete_command(std::string_view beginning);

}  // namespace lfm::cli
