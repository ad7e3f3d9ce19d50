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
    if (state_ == State::kBetween && !between(c, sink)) continue;
    text_ += c;
    if (state_ == State::kWithin && within(c)) complete(sink);
    if (state_ == State::kWithin && text_.size() == kMaxCallBytes) {
      release(sink);
      spoil("a call that doesn't end");
    }
  }
  if (state_ == State::kSpoilt && text_.size() >= kMaxCallBytes) give_up(sink);
}

void CallStream::finish(bool cut, PieceSink& sink) {
  if (state_ == State::kWithin && !cut) take_back();
  release(sink);
  if (state_ == State::kWithin) {
    spoil(cut ? "the answer ends within a call" : "a call without an end");
    mendable_ = !cut;
  }
  if (block_.size() > kMaxCallBytes) block_.clear();
  if (state_ == State::kSpoilt && cut) give_up(sink);
  if (state_ == State::kSpoilt) mend(sink);
  text_.clear();
  state_ = State::kBetween;
  in_list_ = after_call_ = apart_by_other_ = mendable_ = told_ = begun_ = given_ = false;
}

// Between calls: true where a call begins with this byte, or something that is none.
bool CallStream::between(char c, PieceSink& sink) {
  if (is_space(c)) {
    if (!waiting_text_.empty()) waiting_text_ += c;
    return false;
  }
  if (c == ',' || c == ';' || c == ']') release(sink);
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
    if (!apart_by_other_) {
      const bool quote = c == '\'' || c == '"';  // the bracket was in a string, rather
      if (quote) take_back();
      release(sink);
      spoil("expected ',' or ']' behind a call");
      mendable_ = quote;
    }
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
    release(sink);
    if (apart_by_other && call_.repair.empty()) call_.repair = "no comma in front of it";
    waiting_text_ = text_;
    std::swap(waiting_, call_);
  } else if (waiting_text_.empty() && is_plainly_bounded(text_)) {
    give_up(sink);
    told_ = false;
  } else {
    take_back();
    spoil(std::string(call_.problem));
    mendable_ = true;
    return;
  }
  text_.clear();
  state_ = State::kBetween;
  after_call_ = true;
}

// The call that waits is one, as what follows it shows.
void CallStream::release(PieceSink& sink) {
  if (waiting_text_.empty()) return;
  std::string_view text = waiting_text_;
  while (is_space(text.back())) text.remove_suffix(1);
  give_call(waiting_, text, sink);
  waiting_text_.clear();
}

// The call that waits is part of what is being read.
void CallStream::take_back() {
  text_.insert(0, waiting_text_);
  waiting_text_.clear();
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

// At the end of a block that is spoilt: hands on all of it.
void CallStream::mend(PieceSink& sink) {
  if (!mendable_ || told_) return give_up(sink);
  CallText whole;
  if (!given_ && mend_block(block_, whole)) return give_call(whole, text_, sink);
  const std::string text = std::exchange(text_, {});
  std::vector<MendedCall> calls;
  if (!mend_quotes(text, calls)) {
    const std::string_view tail = good_tail(text, calls);
    text_ = text.substr(0, text.size() - tail.size());
    give_up(sink);
    if (tail.empty()) return;
  }
  for (const MendedCall& one : calls) give_call(one.call, one.text, sink);
}

void CallStream::spoil(std::string_view problem) {
  if (state_ == State::kSpoilt) return;
  state_ = State::kSpoilt;
  call_.problem = problem;
}

}  // namespace lfm::chat
