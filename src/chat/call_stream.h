// What stands between a model's call tokens, as it comes: a list of calls, each handed on when it is complete.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "chat/call.h"
#include "chat/piece_sink.h"

namespace lfm::chat {

// Reads `[f(a='x'), g()]` and `[{"name": ...}, ...]`, also without the brackets, and several lists. From the first
// thing on that is neither, all until the end is handed on as text with the reason (kMalformedCall); calls before it
// stand. Every byte is looked at twice, whatever it is; a call takes kMaxCallBytes at most.
class CallStream {
 public:
  static constexpr std::size_t kMaxCallBytes = std::size_t{1} << 20;

  // Text in pieces of any size that are whole code points.
  void push(std::string_view text, PieceSink& sink);

  // The calls are over, or the answer is (`cut`). The stream is as new then.
  void finish(bool cut, PieceSink& sink);

  std::size_t calls() const noexcept { return calls_; }
  std::size_t malformed() const noexcept { return malformed_; }

 private:
  bool between(char c);
  bool within(char c);
  bool in_string(char c);
  void complete(PieceSink& sink);
  void spoil(std::string_view problem);

  enum class State { kBetween, kWithin, kSpoilt };
  State state_ = State::kBetween;
  bool in_list_ = false;
  bool after_call_ = false;  // so that a comma or the end of the list has to come

  // Of the call that is being read.
  std::string text_;
  std::size_t depth_ = 0;
  char quote_ = '\0';     // of the string that is being read
  bool opening_ = false;  // only quotes of it so far
  bool triple_ = false;
  bool escaped_ = false;
  std::size_t quotes_ = 0;  // in a row

  CallText call_;
  std::size_t calls_ = 0;
  std::size_t malformed_ = 0;
};

}  // namespace lfm::chat
