// JSON as it is read, event by event. The only place of the library that knows the parser; the parser's own trees are
// never made, since they allocate when they are destroyed, which ends the process where there is no memory.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "lfm/result.h"

namespace lfm::json {

// What a text says, in its order. Texts and names are UTF-8, and may be moved from.
class Events {
 public:
  virtual void null() = 0;
  virtual void boolean(bool value) = 0;
  virtual void number(std::string_view spelt, double value) = 0;
  virtual void text(std::string& value) = 0;
  virtual void begin(bool object) = 0;  // or an array
  virtual void key(std::string& name) = 0;
  virtual void end(bool object) = 0;

 protected:
  ~Events() = default;
};

// What a text has to be, and what it is told as where it isn't.
struct Rules {
  std::size_t levels = 64;  // of arrays and objects
  ErrorCode malformed = ErrorCode::kArgument;
  ErrorCode too_deep = ErrorCode::kArgument;
};

// `malformed`: no JSON, which has numbers that a double can hold (with the offset), or a key twice in an object;
// `too_deep`: more levels. Events have been told what stands before. Doesn't recurse, nor may events.
Status read(std::string_view text, const std::string& field, const Rules& rules, Events& events);

// Whether it is JSON.
bool accept(std::string_view text);

}  // namespace lfm::json
