// Session::generate: what is asked before each token, what becomes of it, and what ends it.
#include <algorithm>
#include <chrono>
#include <utility>

#include "base/entropy.h"
#include "base/try.h"
#include "engine/draft/lookup.h"
#include "engine/draft/model_source.h"
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
         bool thinks, std::size_t vocab)
      : options_(options),
        sampler_(std::move(sampler)),
        limit_(std::move(limit)),
        constrained_(std::move(constrained)),
        thinks_(thinks),
        mask_(vocab) {}

  // Tokens that come next without anybody being asked, if any.
  Result<std::span<const TokenId>> forced(std::span<const TokenId> tokens, const chat::AnswerReader* answer,
                                          const Finish& so_far) {
    if (!constrained_ || (answer != nullptr && (answer->thinking() || may_think(*answer)))) {
      return std::span<const TokenId>();
    }
    LFM_TRY(follow(tokens, answer != nullptr ? answer->said_tokens() : so_far.tokens));
    return constrained_->forced();
  }

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
      may_think = this->may_think(*answer);
      mask_.take_out(limit_.forbidden(*answer));
      said = answer->said_tokens();
      thinking = answer->thinking();
    }
    if (constrained_) {
      LFM_TRY(follow(tokens, said));
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
  // Whether an answer that is held to something may begin with thinking.
  bool may_think(const chat::AnswerReader& answer) const noexcept {
    return thinks_ && answer.said_tokens() == 0 && answer.thinking_tokens() == 0;
  }

  // What was said of the answer since the last time, or is there from another call.
  Status follow(std::span<const TokenId> tokens, std::size_t said) {
    for (; followed_ < said; ++followed_) LFM_TRY(constrained_->accept(tokens[tokens.size() - said + followed_]));
    return {};
  }

  const GenerateOptions& options_;
  Sampler sampler_;
  ThinkingLimit limit_;
  std::optional<Constrained> constrained_;
  bool thinks_;
  std::size_t followed_ = 0;  // tokens of the answer
  Mask mask_;
  bool thinking_cut_ = false;
};

}  // namespace

// What was learnt of guesses stays, as long as they come from the same sources.
void SessionState::use_drafter(Draft draft) {
  if (drafter_ != nullptr && drafts_by_ == draft) return;
  std::vector<std::unique_ptr<DraftSource>> sources;
  sources.push_back(std::make_unique<Lookup>());
  if (draft == Draft::kModel) {
    std::unique_ptr<DraftSource> network = std::make_unique<ModelSource>(*model_, now_, room_);
    sources.push_back(filter_ ? filter_(std::move(network)) : std::move(network));
  }
  drafter_ = std::make_unique<Drafter>(std::move(sources));
  drafts_by_ = draft;
}

Result<Finish> SessionState::generate(const GenerateOptions& options, const std::function<bool(const Piece&)>& callback,
                                      std::optional<bool> thinks) {
  if (!now_.logits_valid) return Error{ErrorCode::kState, "generate() needs a token to go on from", "tokens"};
  if (options.thinking_budget && !options.structured) {
    return Error{ErrorCode::kArgument, "thinking can only be limited where it is told apart: set `structured`",
                 "thinking_budget"};
  }
  const CallCancel cancel(*this, options.cancel);
  Finish finish{.reason = FinishReason::kLength};
  SamplingOptions sampling = resolve(options.sampling, model_->sampling);
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
  const bool drafts = options.draft != Draft::kOff;
  if (drafts) {
    if (options.draft == Draft::kModel && model_->draft == nullptr) {
      return Error{ErrorCode::kArgument, "the engine has no draft network: open it with one", "draft"};
    }
    use_drafter(options.draft);
    drafter_->follow(now_.tokens);
  }
  sampler.set_context(now_.tokens);
  Choice choice(options, std::move(sampler), std::move(limit), std::move(constrained),
                thinks.value_or(model_->chat_form.thinks), model_->config.vocab);
  Output out(model_->tokenizer, std::move(stops), callback, finish);
  if (options.structured) out.read_answer(now_.tokens);

  // How many tokens may be read ahead: behind `said` more than are counted, `unread` of which aren't read.
  const auto ahead = [&](std::size_t said, std::size_t unread) -> std::size_t {
    if (!drafts || !out.wanted() || out.stopped()) return 0;
    return std::min(options.max_tokens - finish.tokens - said, room_ - now_.tokens.size() - unread);
  };

  // Hands tokens out and then reads them in one pass, but for where the caller will come back to, should it be a stop
  // string that begins there.
  const auto say_all = [&](std::span<const TokenId> tokens) -> Status {
    std::size_t read = 0, said = 0;
    while (said < tokens.size() && out.wanted() && !out.stopped()) {
      const TokenId token = tokens[said];
      choice.accept(token);
      if (drafts) drafter_->push(token);
      if (logprobs.wanted()) logprobs.read(logits(), token);
      out.push(token, logprobs);
      if (out.stop_begins_within(model_->tokenizer.piece(token).size())) {
        LFM_TRY(advance(tokens.subspan(read, said - read), 0, finish));
        read = said;
        now_.keep_state();
      }
      ++said;
    }
    LFM_TRY(advance(tokens.subspan(read, said - read), ahead(said, said - read), finish));
    finish.tokens += said;
    return {};
  };

  // How many tokens one pass may read: logits are wanted of each where log-probabilities are.
  const auto pass = [&] {
    constexpr std::size_t kMost = 32;
    const std::size_t most = logprobs.wanted() ? 1 : std::min(kMost, model_->runtime->chunk_tokens());
    return std::min({most, options.max_tokens - finish.tokens, room_ - now_.tokens.size()});
  };

  // True where another token came and wants another one.
  const auto say_next = [&]() -> Result<bool> {
    const auto end = [&](FinishReason reason) {
      finish.reason = reason;
      return false;
    };
    if (take_cancel()) return end(FinishReason::kCancelled);
    if (now_.tokens.size() >= room_) return end(FinishReason::kContextFull);
    LFM_ASSIGN(const auto forced, choice.forced(now_.tokens, out.answer(), finish));
    if (!forced.empty()) {
      LFM_TRY(say_all(forced.first(std::min(forced.size(), pass()))));
    } else {
      LFM_ASSIGN(const TokenId token, choice.next(now_.tokens, logits(), out.answer(), finish));
      if (model_->tokenizer.ends_generation(token) && !options.ignore_end) return end(FinishReason::kEnd);
      LFM_TRY(say_all({&token, 1}));
    }
    if (!out.wanted()) return end(FinishReason::kCancelled);
    if (out.stopped()) return end(FinishReason::kStop);
    return true;
  };
  const auto start = std::chrono::steady_clock::now();
  Result<bool> more = true;
  while (finish.tokens < options.max_tokens && more.ok() && *more) more = say_next();
  if (now_.logits_valid) now_.keep_state();
  now_.ahead.clear();
  if (out.answer() != nullptr && choice.is_ending(*out.answer())) out.keep_tag();
  out.flush();
  finish.thinking_cut = choice.thinking_cut();
  finish.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  stats_.generated_tokens += finish.tokens;
  stats_.generate_seconds += finish.seconds;
  stats_.generate_passes += finish.passes;
  stats_.drafted_tokens += finish.drafted;
  stats_.accepted_tokens += finish.accepted;
  if (!more.ok()) return std::move(more).error();
  return finish;
}

}  // namespace lfm::engine
