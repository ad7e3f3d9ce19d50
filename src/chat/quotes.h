// Models forget to escape quotes, and their own templates show them so: note(text='it's late', n=2). What stands behind
// a quote tells whether it ends its string.
#pragma once

#include <string>
#include <string_view>

#include "chat/value.h"

namespace lfm::chat {

enum class Ending {
  kEnd,      // what follows can only stand behind a string's end
  kInside,   // what follows can't stand there
  kUnclear,  // it could be the end, and what follows another fault
};

// Of the string at this place, from what follows its quote.
Ending ending_of(Reader behind, Place place);

// What is open in a text that is told byte by byte: brackets, whether in strings or not, and quotes of both kinds, but
// those behind a backslash.
class Balance {
 public:
  bool add(char c);  // false: a bracket closes what isn't open
  bool closed() const noexcept { return brackets_.empty() && !single_ && !double_; }

 private:
  std::string brackets_;  // that close what is open
  bool single_ = false, double_ = false, escaped_ = false;
};

// Whether each bracket in a text has its other half.
bool is_balanced(std::string_view text);

// Whether a call's strings and brackets can be told apart without doubt, though it is none: each quote that begins a
// string stands where one can, each that ends it before what may follow, and the last byte closes the first bracket.
bool is_plainly_bounded(std::string_view call);

}  // namespace lfm::chat
