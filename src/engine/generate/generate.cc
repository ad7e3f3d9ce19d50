// Session::generate: what is asked before each token, what becomes of it, and what ends it.
#include <chrono>
#include <utility>

#include "base/entropy.h"
#include "base/try.h"
#include "engine/generate/constrained.h"
#include "engine/generate/logprobs.h"
#include "engine/generate/mask.h"
#include "engine/generate/output.h"
#include "engine/generate/sampler.h"
#include "engine/generate/stop.h"
#include "engine/generate/thinking_limit.h"
#include "engine/session/session.h"

namespace lfm::engine {
namespace {

// The next token: one that has to be next, or one that the sampler draws from what may be next.
class Choice {
 public:
  Choice(const GenerateOptions& options, Sampler sampler, ThinkingLimit limit, std::optional<Constrained> constrained,
         std::size_t vocabulary)
      : options_(options),
        sampler_(std::move(sampler)),
        limit_(std::move(limit)),
        constrained_(std::move(constrained)),
        mask_(vocabulary) {}

  // answer: null where the generation isn't structured.
  Result<TokenId> next(std::span<const TokenId> tokens, std::span<const float> logits, const chat::AnswerReader* answer,
                       const Finish& so_far) {
    mask_.begin();
    std::size_t said = so_far.tokens;
    bool thinking = false;
    bool may_think = false;
    if (answer != nullptr) {
      if (const auto forced = limit_.forced(*answer)) {
        thinking_cut_ = true;
        return *forced;
      }
      may_think = answer->said_tokens() == 0 && answer->thinking_tokens() == 0;
      mask_.take_out(limit_.forbidden(*answer));
      said = answer->said_tokens();
      thinking = answer->thinking();
    }
    if (constrained_) {
      // What was said since the last time, or is there from another call.
      for (; followed_ < said; ++followed_) LFM_TRY(constrained_->accept(tokens[tokens.size() - said + followed_]));
      LFM_TRY(constrained_->narrow(mask_, thinking, may_think));
    }
    if (options_.mask) LFM_TRY(mask_.ask(options_.mask, {tokens, tokens.last(said), thinking, logits}));
    return sampler_.sample(logits, mask_.left());
  }

  void accept(TokenId token) noexcept { sampler_.accept(token); }
  bool thinking_cut() const noexcept { return thinking_cut_; }

  // Whether the end of the thinking is being said for the model.
  bool is_ending(const chat::AnswerReader& answer) const noexcept { return limit_.forced(answer).has_value(); }

 private:
  const GenerateOptions& options_;
  Sampler sampler_;
  ThinkingLimit limit_;
  std::optional<Constrained> constrained_;
  std::size_t followed_ = 0;  // tokens of the answer
  Mask mask_;
  bool thinking_cut_ = false;
};

}  // namespace

Result<Finish> SessionState::generate(const GenerateOptions& options,
                                      const std::function<bool(const Piece&)>& callback) {
  if (!now_.logits_valid) return Error{ErrorCode::kState, "generate() needs a token to go on from", "tokens"};
  if (options.thinking_budget && !options.structured) {
    return Error{ErrorCode::kArgument, "thinking can only be limited where it is told apart: set `structured`",
                 "thinking_budget"};
  }
  const CallCancel cancel(*this, options.cancel);
  Finish finish{.reason = FinishReason::kLength};
  SamplingOptions sampling = options.sampling;
  finish.seed = sampling.seed ? *sampling.seed : base::random_word();
  sampling.seed = finish.seed;
  LFM_ASSIGN(Sampler sampler, Sampler::create(sampling, model_->config.vocab, room_));
  LFM_ASSIGN(StopMatcher stops, StopMatcher::create(options.stop));
  LFM_ASSIGN(ThinkingLimit limit, ThinkingLimit::create(model_->tokenizer, options.thinking_budget));
  LFM_ASSIGN(Logprobs logprobs, Logprobs::create(options.logprobs, model_->config.vocab));
  std::optional<Constrained> constrained;
  if (options.constraint) {
    if (options.ignore_end) return Error{ErrorCode::kArgument, "a constraint ends with its answer", "ignore_end"};
    auto made = Constrained::create(*options.constraint->inner_, model_->token_trie());
    if (!made.ok()) return std::move(made).error();
    constrained.emplace(*std::move(made));
  }
  sampler.set_context(now_.tokens);
  Choice choice(options, std::move(sampler), std::move(limit), std::move(constrained),
                model_->config.vocab);
  Output out(model_->tokenizer, std::move(stops), callback, finish);
  if (options.structured) out.read_answer(now_.tokens);

  // True where another token came and wants another one.
  const auto say_next = [&]() -> Result<bool> {
    const auto end = [&](FinishReason reason) {
      finish.reason = reason;
      return false;
    };
    if (take_cancel()) return end(FinishReason::kCancelled);
    if (now_.tokens.size() >= room_) return end(FinishReason::kContextFull);
    LFM_ASSIGN(const TokenId token, choice.next(now_.tokens, logits(), out.answer(), finish));
    if (model_->tokenizer.ends_generation(token) && !options.ignore_end) return end(FinishReason::kEnd);
    choice.accept(token);
    if (logprobs.wanted()) logprobs.read(logits(), token);
    out.push(token, logprobs);
    // Where the caller will come back to, should it be one.
    if (out.stop_begins_within(model_->tokenizer.piece(token).size())) now_.keep_state();
    LFM_TRY(advance(token));
    ++finish.tokens;
    if (!out.wanted()) return end(FinishReason::kCancelled);
    if (out.stopped()) return end(FinishReason::kStop);
    return true;
  };
  const auto start = std::chrono::steady_clock::now();
  Result<bool> more = true;
  while (finish.tokens < options.max_tokens && more.ok() && *more) more = say_next();
  if (now_.logits_valid) now_.keep_state();
  if (out.answer() != nullptr && choice.is_ending(*out.answer())) out.keep_tag();
  out.flush();
  finish.thinking_cut = choice.thinking_cut();
  finish.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  stats_.generated_tokens += finish.tokens;
  stats_.generate_seconds += finish.seconds;
  if (!more.ok()) return std::move(more).error();
  return finish;
}

}  // namespace lfm::engine
