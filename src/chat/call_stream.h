// What stands between a model's call tokens, as it comes: a list of calls, each handed on when it is complete.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "chat/call.h"
#include "chat/piece_sink.h"

namespace lfm::chat {

// Reads `[f(a='x'), g()]` and `[{"name": ...}, ...]`, also without the brackets, and several lists. What is neither is
// handed on as text with the reason (kMalformedCall): one call, where it is plain that it ends, and otherwise all until
// the end, unless it can be mended there (chat/call.h); a piece's `error` tells what was. Calls before it stand. Every
// byte is looked at a few times, whatever it is; a call takes kMaxCallBytes at most.
class CallStream {
 public:
  static constexpr std::size_t kMaxCallBytes = std::size_t{1} << 20;

  // Text in pieces of any size that are whole code points.
  void push(std::string_view text, PieceSink& sink);

  // The calls are over, or the answer is (`cut`). The stream is as new then.
  void finish(bool cut, PieceSink& sink);

  std::size_t calls() const noexcept { return calls_; }
  std::size_t malformed() const noexcept { return malformed_; }

  // The text of the last block that held calls; empty where it was longer than kMaxCallBytes.
  const std::string& block() const noexcept { return block_; }

 private:
  bool between(char c, PieceSink& sink);
  bool within(char c);
  bool in_string(char c);
  void complete(PieceSink& sink);
  void release(PieceSink& sink);
  void take_back();
  void spoil(std::string_view problem);
  void mend(PieceSink& sink);
  void give_call(const CallText& call, std::string_view text, PieceSink& sink);
  void give_up(PieceSink& sink);

  enum class State { kBetween, kWithin, kSpoilt };
  State state_ = State::kBetween;
  bool mendable_ = false;  // spoilt, but what is wrong may be a quote
  bool told_ = false;      // a part of what is spoilt was handed on
  bool in_list_ = false;
  bool apart_by_other_ = false;  // the call that comes has no comma in front, but another, or a semicolon
  bool after_call_ = false;      // so that a comma or the end of the list has to come

  // A call that is handed on once a comma or the list's end follows: where a quote does, its end was in a string.
  std::string waiting_text_;  // and white space behind it; empty: there is none
  CallText waiting_;

  // Of the call that is being read.
  std::string text_;
  std::size_t depth_ = 0;
  char quote_ = '\0';     // of the string that is being read
  bool opening_ = false;  // only quotes of it so far
  bool triple_ = false;
  bool escaped_ = false;
  std::size_t quotes_ = 0;  // in a row

  std::string block_;
  bool begun_ = false;  // the block
  bool given_ = false;  // something of it was handed on
  CallText call_;
  std::size_t calls_ = 0;
  std::size_t malformed_ = 0;
};

}  // namespace lfm::chat
