// One call of a function as a model writes it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lfm::chat {

// What read_call() found; made once and used for call after call.
struct CallText {
  std::string name;
  std::string arguments;          // a JSON object in the order of the arguments
  std::string problem;            // why it is no call: one sentence without a full stop
  std::string_view repair = {};   // what was taken as meant though it isn't written so; empty: nothing
};

// Reads a call, and nothing else, in one of two forms:
//   Python  get_weather(city='Paris', days=3)
//   JSON    {"name": "get_weather", "arguments": {"city": "Paris"}}, in which "parameters" may stand for "arguments",
//           {"type": "function", "function": {...}} around it, and the arguments may be a string with JSON in it; with
//           Python's spellings allowed
// Names are of letters, digits, "_" and what isn't ASCII, a function's also of ".", "-", "/" and ":" but in front.
// Every argument has a name, which may be a reserved word: what an argument without one is meant for only the
// application could tell. f(**{'a': 1}) is f(a=1). Repaired are f({"a": 1}), an argument that is there twice with one
// value, and one word without quotes. False: `problem` says why.
bool read_call(std::string_view text, CallText& call);

// Whether read_call() takes it for a function's name, and for an argument's.
bool is_function_name(std::string_view name) noexcept;
bool is_argument_name(std::string_view name) noexcept;

// All of a block that is one call in another form: a name alone, or ["f", {"a": 1}].
bool mend_block(std::string_view block, CallText& call);

struct MendedCall {
  CallText call;
  std::string_view text;
};

// Calls until the end of the block, in whose strings quotes of their own kind stand unescaped: f(text='it's late'). A
// quote ends its string where what stands behind it can only stand behind a string (chat/quotes.h). All of them, or
// none: false.
bool mend_quotes(std::string_view text, std::vector<MendedCall>& calls);

// The longest end of a block that is calls, behind one that is none: it begins behind a bracket and a comma, and before
// it all brackets and quotes are closed, so that it is part of nothing else. Empty: there is none.
std::string_view good_tail(std::string_view text, std::vector<MendedCall>& calls);

}  // namespace lfm::chat
