#include "chat/answer_reader.h"

#include <algorithm>
#include <utility>

namespace lfm::chat {
namespace {

using text::Vocabulary;

// Nobody listens while an answer is taken up again.
class NoSink : public PieceSink {
 public:
  void piece(const Piece&) override {}
};

constexpr std::size_t kMaxHeld = 256;  // bytes of white space; more are text

// Bytes at the end of `text` that `tag` begins with, fewer than all of it.
std::size_t partial_tag(std::string_view text, std::string_view tag) noexcept {
  for (std::size_t length = std::min(text.size(), tag.size() - 1); length > 0; --length) {
    if (text.ends_with(tag.substr(0, length))) return length;
  }
  return 0;
}

// Without that in front.
std::string_view without_space(std::string_view text) noexcept {
  return text.substr(std::min(text.find_first_not_of(kSpace), text.size()));
}

}  // namespace

void AnswerReader::push(TokenId token, PieceSink& sink) {
  const bool was_thinking = thinking();
  if (state_ == State::kCall) {
    if (token == structure_.call_end) {
      enter(State::kText, sink);
    } else {
      take_bytes(tokenizer_.piece(token), sink);
    }
  } else if (token == structure_.call_end && echoing_) {
    take_rest(sink);
    if (echoing_ && without_space(echo_) == without_space(calls_.block())) echo_.clear();
  } else if (token == structure_.call_start) {
    enter(State::kCall, sink);
  } else if (token == structure_.think_start) {
    enter(State::kThinking, sink);
  } else if (token == structure_.think_end) {
    enter(State::kText, sink);
  } else if (!tokenizer_.is_control(token)) {
    take_bytes(tokenizer_.piece(token), sink);
  }
  if (was_thinking || thinking()) {
    ++thinking_tokens_;
    said_tokens_ = 0;
  } else {
    ++said_tokens_;
  }
}

void AnswerReader::finish(PieceSink& sink) {
  take_rest(sink);
  if (state_ == State::kCall) calls_.finish(true, sink);
  release(sink);
}

// What was held back is no tag, and white space isn't said.
void AnswerReader::release(PieceSink& sink) {
  if (std::exchange(echoing_, false)) take_text(std::exchange(echo_, {}), sink);
  if (held_.find_first_not_of(kSpace) != std::string::npos) give(held_, sink);
  held_.clear();
}

void AnswerReader::resume(std::span<const TokenId> tokens) {
  NoSink nobody;
  resume(tokens, nobody);
}

void AnswerReader::resume(std::span<const TokenId> tokens, PieceSink& sink) {
  const auto start = std::find(tokens.rbegin(), tokens.rend(), structure_.turn_start);
  const auto end = [this](TokenId token) { return tokenizer_.ends_generation(token); };
  if (start == tokens.rend() || std::any_of(tokens.rbegin(), start, end)) return;
  bool in_header = true;  // "assistant", and a new line
  for (const TokenId token : tokens.last(static_cast<std::size_t>(start - tokens.rbegin()))) {
    const std::string_view bytes = tokenizer_.piece(token);
    const std::size_t line_end = bytes.find('\n');
    if (!in_header) {
      push(token, sink);
    } else if (line_end != std::string_view::npos) {
      take_bytes(bytes.substr(line_end + 1), sink);
      in_header = false;
    }
  }
}

// Bytes that haven't become a code point won't any more.
void AnswerReader::take_rest(PieceSink& sink) {
  whole_.clear();
  utf8_.flush(whole_);
  route(sink);
}

// From one part of the answer to the next, at a tag.
void AnswerReader::enter(State state, PieceSink& sink) {
  take_rest(sink);
  if (state_ == State::kCall) calls_.finish(false, sink);
  release(sink);
  echoing_ = state_ == State::kCall && state == State::kText && !calls_.block().empty();
  if (state_ == State::kThinking && state != State::kThinking) fresh_ = thought_ = true;
  state_ = state;
}

void AnswerReader::take_bytes(std::string_view bytes, PieceSink& sink) {
  whole_.clear();
  utf8_.push(bytes, whole_);
  route(sink);
}

// whole_, to the part of the answer that it belongs to.
void AnswerReader::route(PieceSink& sink) {
  if (whole_.empty()) return;
  if (state_ == State::kCall) {
    calls_.push(whole_, sink);
  } else if (state_ == State::kThinking) {
    take_thinking(whole_, sink);
  } else {
    take_text(whole_, sink);
  }
}

// Whether it may become the last block once more, and is kept until that is known.
bool AnswerReader::is_echo(std::string_view text) {
  if (!echoing_) return false;
  echo_ += text;
  return without_space(calls_.block()).starts_with(without_space(echo_));
}

void AnswerReader::take_text(std::string_view text, PieceSink& sink) {
  if (is_echo(text)) return;
  if (std::exchange(echoing_, false)) return take_text(std::exchange(echo_, {}), sink);
  if (!fresh_) return give(text, sink);
  held_ += text;
  const std::size_t begin = held_.find_first_not_of(kSpace);
  if (begin == std::string::npos) {
    if (thought_) held_.clear();
    if (held_.size() <= kMaxHeld) return;
  }
  const std::string_view rest = std::string_view(held_).substr(std::min(begin, held_.size()));
  if (tags_are_text() && !thought_) {
    if (rest.starts_with(kThinkStart)) {
      held_.erase(0, begin + kThinkStart.size());
      state_ = State::kThinking;
      return take_thinking({}, sink);
    }
    if (!rest.empty() && kThinkStart.starts_with(rest)) return;
  }
  fresh_ = false;
  give(thought_ ? rest : std::string_view(held_), sink);
  held_.clear();
}

void AnswerReader::take_thinking(std::string_view text, PieceSink& sink) {
  if (!tags_are_text()) return give(text, sink);
  held_ += text;
  const std::size_t end = held_.find(kThinkEnd);
  const std::size_t known = std::min(end, held_.size() - partial_tag(held_, kThinkEnd));
  give(std::string_view(held_).substr(0, known), sink);
  held_.erase(0, end == std::string::npos ? known : end + kThinkEnd.size());
  if (end == std::string::npos) return;
  state_ = State::kText;
  fresh_ = thought_ = true;
  take_text({}, sink);
}

void AnswerReader::give(std::string_view text, PieceSink& sink) {
  if (text.empty()) return;
  spoke_ = spoke_ || state_ != State::kThinking;
  sink.piece({.text = text, .kind = state_ == State::kThinking ? PieceKind::kReasoning : PieceKind::kText});
}

}  // namespace lfm::chat
