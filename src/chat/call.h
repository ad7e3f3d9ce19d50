// One call of a function as a model writes it.
#pragma once

#include <string>
#include <string_view>

namespace lfm::chat {

// What read_call() found; made once and used for call after call.
struct CallText {
  std::string name;
  std::string arguments;  // a JSON object in the order of the arguments
  std::string problem;    // why it is no call: one sentence without a full stop
};

// Reads a call, and nothing else, in one of two forms:
//   Python  get_weather(city='Paris', days=3)
//   JSON    {"name": "get_weather", "arguments": {"city": "Paris"}}, in which "parameters" may stand for "arguments",
//           {"type": "function", "function": {...}} around it, and the arguments may be a string with JSON in it; with
//           Python's spellings allowed
// Names are of letters, digits, "_" and what isn't ASCII, a function's also of ".", "-", "/" and ":" but in front.
// Every argument has a name, which may be a reserved word and is there once: what an argument without one is meant for
// only the application could tell. False: `problem` says why.
bool read_call(std::string_view text, CallText& call);

// Whether read_call() takes it for a function's name, and for an argument's.
bool is_function_name(std::string_view name) noexcept;
bool is_argument_name(std::string_view name) noexcept;

}  // namespace lfm::chat
