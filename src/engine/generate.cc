// Session::generate: sampling, the token's bytes to whole text, stop strings, and what ends it all.
#include <chrono>
#include <utility>

#include "base/try.h"
#include "engine/sampler.h"
#include "engine/session.h"
#include "engine/stop.h"
#include "text/utf8_stream.h"

namespace lfm {

namespace engine {
namespace {

// What becomes of a token's bytes on the way to the application: stop strings first, then whole code points.
class TextOut {
 public:
  TextOut(StopMatcher stops, const std::function<bool(const Piece&)>& callback)
      : stops_(std::move(stops)), callback_(callback) {}

  // False when a stop string is complete.
  bool push(std::string_view bytes) {
    passed_.clear();
    const bool stopped = stops_.push(bytes, passed_);
    text_.clear();
    utf8_.push(passed_, text_);
    return !stopped;
  }

  void flush() {
    passed_.clear();
    stops_.flush(passed_);
    text_.clear();
    utf8_.push(passed_, text_);
    utf8_.flush(text_);
  }

  // Whether a stop string begins in the last `bytes` bytes, or may do so.
  bool stop_begins_within(std::size_t bytes) const noexcept { return stops_.held() > 0 && stops_.held() <= bytes; }

  // Hands out what is ready; false when the application has had enough.
  bool deliver(Finish& finish) {
    finish.text_bytes += text_.size();
    if (text_.empty() || !callback_) return true;
    return callback_(Piece{text_});
  }

 private:
  StopMatcher stops_;
  text::Utf8Stream utf8_;
  const std::function<bool(const Piece&)>& callback_;
  std::string passed_;
  std::string text_;
};

}  // namespace

Result<Finish> SessionState::generate(const GenerateOptions& options,
                                      const std::function<bool(const Piece&)>& callback) {
  if (!now_.logits_valid) return Error{ErrorCode::kState, "generate() needs a token to go on from", "tokens"};
  LFM_ASSIGN(Sampler sampler, Sampler::create(options.sampling, model_->config.vocab));
  LFM_ASSIGN(StopMatcher stops, StopMatcher::create(options.stop));
  sampler.set_context(now_.tokens);
  TextOut out(std::move(stops), callback);

  Finish finish{.reason = FinishReason::kLength};
  bool wanted = true;  // by the callback
  const auto start = std::chrono::steady_clock::now();
  while (finish.tokens < options.max_tokens) {
    if (take_cancel()) {
      finish.reason = FinishReason::kCancelled;
      break;
    }
    if (now_.tokens.size() >= room_) {
      finish.reason = FinishReason::kContextFull;
      break;
    }
    LFM_ASSIGN(const TokenId token, sampler.sample(logits()));
    if (model_->tokenizer.ends_generation(token) && !options.ignore_end) {
      finish.reason = FinishReason::kEnd;
      break;
    }
    sampler.accept(token);
    const std::string_view bytes = model_->tokenizer.piece(token);
    const bool stopped = !out.push(bytes);
    // Where the caller will come back to, should it be one.
    if (out.stop_begins_within(bytes.size())) now_.keep_state();
    LFM_TRY(advance(token));
    ++finish.tokens;
    wanted = out.deliver(finish);
    if (!wanted) {
      finish.reason = FinishReason::kCancelled;
      break;
    }
    if (stopped) {
      finish.reason = FinishReason::kStop;
      break;
    }
  }
  now_.keep_state();
  if (wanted) {
    out.flush();
    out.deliver(finish);
  }
  stats_.generated_tokens += finish.tokens;
  finish.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  stats_.generate_seconds += finish.seconds;
  return finish;
}

}  // namespace engine
}  // namespace lfm
