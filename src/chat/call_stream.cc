#include "chat/call_stream.h"

#include <utility>
#include <vector>

#include "chat/json.h"
#include "chat/name.h"
#include "chat/quotes.h"

namespace lfm::chat {
namespace {

bool is_space(char c) noexcept {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

}  // namespace

void CallStream::push(std::string_view text, PieceSink& sink) {
  if (!begun_) block_.clear();
  begun_ = true;
  if (block_.size() <= kMaxCallBytes) block_ += text;
  for (const char c : text) {
    if (state_ == State::kBetween && !between(c)) continue;
    text_ += c;
    if (state_ == State::kWithin && within(c)) complete(sink);
    if (state_ == State::kWithin && text_.size() == kMaxCallBytes) spoil("a call that doesn't end");
  }
  if (state_ == State::kSpoilt && text_.size() >= kMaxCallBytes) give_up(sink);
}

void CallStream::finish(bool cut, PieceSink& sink) {
  if (state_ == State::kWithin) {
    spoil(cut ? "the answer ends within a call" : "a call without an end");
    mendable_ = !cut;
  }
  if (block_.size() > kMaxCallBytes) block_.clear();
  if (state_ == State::kSpoilt && (cut || !mend(sink))) give_up(sink);
  text_.clear();
  state_ = State::kBetween;
  in_list_ = after_call_ = apart_by_other_ = mendable_ = told_ = begun_ = given_ = false;
}

// Between calls: true where a call begins with this byte, or something that is none.
bool CallStream::between(char c) {
  if (is_space(c)) return false;
  const bool was_after_call = after_call_;
  if (c == '[' && !in_list_) {
    in_list_ = true;
    after_call_ = false;
    return false;
  }
  if (c == ']' && in_list_) {
    in_list_ = false;
    after_call_ = true;
    return false;
  }
  if ((c == ',' || c == ';') && after_call_) {
    apart_by_other_ = c == ';';
    after_call_ = false;
    return false;
  }
  state_ = State::kWithin;
  depth_ = 0;
  quote_ = '\0';
  if (was_after_call && in_list_) {
    apart_by_other_ = c == '{' || is_name_byte(c);
    if (!apart_by_other_) spoil("expected ',' or ']' behind a call");
  }
  if (c == '[' || c == ']' || c == ',') spoil("expected a call");
  return true;
}

// True with the byte that ends the call: the bracket that closes its first one, or what can't follow before that.
bool CallStream::within(char c) {
  if (quote_ != '\0' && in_string(c)) return false;
  switch (c) {
    case '\'':
    case '"':
      quote_ = c;
      quotes_ = 1;
      opening_ = true;
      escaped_ = false;
      return false;
    case '(':
    case '[':
    case '{':
      if (++depth_ > kMaxDepth + 1) spoil("nested too deeply");
      return false;
    case ')':
    case ']':
    case '}':
      if (depth_ <= 1) return true;
      --depth_;
      return false;
    default:
      return c == ',' && depth_ == 0;
  }
}

// Whether the byte is part of the string. One quote begins it and one ends it, or three do both; of two, the first
// begins it and the second ends it, which only the byte behind them tells.
bool CallStream::in_string(char c) {
  if (opening_ && c == quote_) {
    if (++quotes_ < 3) return true;
    opening_ = false;
    triple_ = true;
    quotes_ = 0;
    return true;
  }
  if (opening_) {
    opening_ = triple_ = false;
    const bool empty = quotes_ == 2;
    quotes_ = 0;
    if (empty) {
      quote_ = '\0';
      return false;
    }
  }
  if (escaped_ || c == '\\') {
    escaped_ = !escaped_;
    quotes_ = 0;
  } else if (c != quote_) {
    quotes_ = 0;
  } else if (++quotes_ == (triple_ ? 3u : 1u)) {
    quote_ = '\0';
  }
  return true;
}

void CallStream::complete(PieceSink& sink) {
  const bool apart_by_other = std::exchange(apart_by_other_, false);
  if (read_call(text_, call_)) {
    if (apart_by_other && call_.repair.empty()) call_.repair = "no comma in front of it";
    give_call(call_, text_, sink);
  } else if (is_plainly_bounded(text_)) {
    give_up(sink);
    told_ = false;
  } else {
    spoil(std::string(call_.problem));
    mendable_ = true;
    return;
  }
  text_.clear();
  state_ = State::kBetween;
  after_call_ = true;
}

void CallStream::give_call(const CallText& call, std::string_view text, PieceSink& sink) {
  ++calls_;
  given_ = true;
  sink.piece({.text = text,
              .kind = PieceKind::kToolCall,
              .name = call.name,
              .arguments = call.arguments,
              .error = call.repair});
}

// Hands on what can't be read.
void CallStream::give_up(PieceSink& sink) {
  if (text_.empty()) return;
  if (!told_) ++malformed_;
  told_ = given_ = true;
  sink.piece({.text = text_, .kind = PieceKind::kMalformedCall, .error = call_.problem});
  text_.clear();
}

// At the end of a block that is spoilt.
bool CallStream::mend(PieceSink& sink) {
  if (!mendable_ || told_) return false;
  CallText whole;
  if (!given_ && mend_block(block_, whole)) {
    give_call(whole, text_, sink);
    return true;
  }
  std::vector<MendedCall> calls;
  if (!mend_quotes(text_, calls)) return false;
  for (const MendedCall& one : calls) give_call(one.call, one.text, sink);
  return true;
}

void CallStream::spoil(std::string_view problem) {
  if (state_ == State::kSpoilt) return;
  state_ = State::kSpoilt;
  call_.problem = problem;
}

}  // namespace lfm::chat
