// Session::generate: sampling, and what ends it.
#include <chrono>
#include <utility>

#include "base/try.h"
#include "engine/generate/output.h"
#include "engine/generate/sampler.h"
#include "engine/session/session.h"
#include "engine/generate/stop.h"
#include "engine/generate/thinking_limit.h"

namespace lfm::engine {

Result<Finish> SessionState::generate(const GenerateOptions& options,
                                      const std::function<bool(const Piece&)>& callback) {
  if (!now_.logits_valid) return Error{ErrorCode::kState, "generate() needs a token to go on from", "tokens"};
  if (options.thinking_budget && !options.structured) {
    return Error{ErrorCode::kArgument, "thinking can only be limited where it is told apart: set `structured`",
                 "thinking_budget"};
  }
  LFM_ASSIGN(Sampler sampler, Sampler::create(options.sampling, model_->config.vocab));
  LFM_ASSIGN(StopMatcher stops, StopMatcher::create(options.stop));
  LFM_ASSIGN(ThinkingLimit limit, ThinkingLimit::create(model_->tokenizer, options.thinking_budget));
  sampler.set_context(now_.tokens);
  Finish finish{.reason = FinishReason::kLength};
  Output out(model_->tokenizer, std::move(stops), callback, finish);
  if (options.structured) out.read_answer(now_.tokens);

  const auto next_token = [&]() -> Result<TokenId> {
    if (out.answer() == nullptr) return sampler.sample(logits());
    if (const auto forced = limit.forced(*out.answer())) return *forced;
    return sampler.sample(logits(), limit.forbidden(*out.answer(), finish));
  };
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
    LFM_ASSIGN(const TokenId token, next_token());
    if (model_->tokenizer.ends_generation(token) && !options.ignore_end) {
      finish.reason = FinishReason::kEnd;
      break;
    }
    sampler.accept(token);
    out.push(token);
    // Where the caller will come back to, should it be one.
    if (out.stop_begins_within(model_->tokenizer.piece(token).size())) now_.keep_state();
    LFM_TRY(advance(token));
    ++finish.tokens;
    if (!out.wanted()) {
      finish.reason = FinishReason::kCancelled;
      break;
    }
    if (out.stopped()) {
      finish.reason = FinishReason::kStop;
      break;
    }
  }
  now_.keep_state();
  out.flush();
  finish.thinking_cut = limit.was_reached();
  finish.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  stats_.generated_tokens += finish.tokens;
  stats_.generate_seconds += finish.seconds;
  return finish;
}

}  // namespace lfm::engine
