#include "engine/session/session.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>
#include <utility>

#include "base/float_mode.h"
#include "base/try.h"
#include "engine/session/saved_session.h"
#include "model/forward.h"

namespace lfm::engine {
namespace {

constexpr std::size_t kDefaultContext = 32768;
// Tokens between two snapshots: what an edit costs at most, beside the new tokens.
constexpr std::size_t kSnapshotTokens = 32;
// States that a caller may have kept of one chunk, beside ours.
constexpr std::size_t kMaxEnds = 64;

// Adds the time until its end to a sum.
class Timer {
 public:
  explicit Timer(double& seconds) : seconds_(seconds) {}
  Timer(const Timer&) = delete;
  ~Timer() { seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  double& seconds_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

Status check_finite(std::span<const float> logits, std::size_t position) {
  unsigned bad = 0;  // no early exit, so that the compiler takes many at once
  for (const float logit : logits) bad |= !(std::fabs(logit) < std::numeric_limits<float>::infinity());
  if (bad == 0) return {};
  return Error{ErrorCode::kNumeric, "the network gave NaN or infinity", "logits", position};
}

kernels::KvType kv_type(CacheType type) {
  return type == CacheType::kQ8_0 ? kernels::KvType::kQ8_0 : kernels::KvType::kF16;
}

Error cancelled() {
  return {ErrorCode::kCancelled, "cancelled"};
}

bool goes_on(const ProgressCallback& progress, std::size_t done, std::size_t all) {
  const base::CallersFloatMode mode;
  return progress(done, all);
}

Status check_room(std::size_t tokens, std::size_t room) {
  if (tokens <= room) return {};
  Error error{ErrorCode::kLimit, std::to_string(tokens) + " tokens in a context of " + std::to_string(room), "tokens"};
  error.have = tokens;
  error.limit = room;
  return error;
}

}  // namespace

SessionState::Use::Use(SessionState& state) noexcept
    : state_(state), granted_(!state.model_->runtime->calls_back_here() && !state.used_.exchange(true)) {}

SessionState::Use::~Use() {
  if (granted_) state_.used_.store(false);
}

Result<std::unique_ptr<SessionState>> SessionState::create(std::shared_ptr<const Model> model,
                                                           const SessionOptions& options) {
  const std::size_t trained = model->config.max_positions();
  if (options.context_tokens > trained) {
    Error error{ErrorCode::kLimit, "the model was trained for " + std::to_string(trained) + " tokens",
                "context_tokens"};
    error.have = options.context_tokens;
    error.limit = trained;
    return error;
  }
  const std::size_t room = options.context_tokens != 0 ? options.context_tokens : std::min(trained, kDefaultContext);
  const kernels::KvFormat cache{kv_type(options.cache_keys), kv_type(options.cache_values)};
  LFM_ASSIGN(Timeline timeline,
             Timeline::create(model->config, room, options.snapshot_bytes, cache, model->draft_config()));
  return std::unique_ptr<SessionState>(
      new SessionState(std::move(model), std::move(timeline), room, options.snapshot_bytes));
}

SessionState::SessionState(std::shared_ptr<const Model> model, Timeline timeline, std::size_t room,
                           std::size_t snapshot_bytes)
    : model_(std::move(model)), now_(std::move(timeline)), room_(room), snapshot_bytes_(snapshot_bytes) {}

Status SessionState::check(std::span<const TokenId> tokens) const {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] < 0 || static_cast<std::size_t>(tokens[i]) >= model_->config.vocab) {
      return Error{ErrorCode::kArgument, "token id " + std::to_string(tokens[i]) + " isn't in the vocabulary", "tokens",
                   i};
    }
  }
  return {};
}

Result<SyncInfo> SessionState::sync(std::span<const TokenId> tokens, const SyncOptions& options) {
  LFM_TRY(check(tokens));
  LFM_TRY(check_room(tokens.size(), room_));
  const std::size_t held = now_.reusable(tokens);
  if (held < now_.tokens.size()) now_.rewind(held);
  const SyncInfo info{now_.tokens.size(), tokens.size() - now_.tokens.size()};
  stats_.reused_tokens += info.reused;
  const CallCancel cancel(*this, options.cancel);
  const ProgressCallback* const progress = options.progress ? &options.progress : nullptr;
  LFM_TRY(evaluate(tokens.subspan(info.reused), {.end = tokens.size(), .ends = options.ends, .progress = progress}));
  return info;
}

Status SessionState::append(std::span<const TokenId> tokens, const Session::LogitsCallback& each, std::size_t from) {
  LFM_TRY(check(tokens));
  const std::size_t end = now_.tokens.size() + tokens.size();
  LFM_TRY(check_room(end, room_));
  from = now_.tokens.size() + std::min(from, tokens.size());
  // Who adds token by token decodes, and has as few states kept as generate() has.
  return evaluate(tokens, {.end = tokens.size() == 1 ? kNoEnd : end, .each = each ? &each : nullptr, .from = from});
}

// Tokens are valid and fit.
Status SessionState::evaluate(std::span<const TokenId> tokens, const Prompt& prompt) {
  if (tokens.empty()) return {};
  const Timer timer(stats_.prompt_seconds);
  while (!tokens.empty()) {
    if (take_cancel()) return cancelled();
    const auto now = tokens.first(std::min(model_->runtime->chunk_tokens(), tokens.size()));
    tokens = tokens.subspan(now.size());
    LFM_TRY(step(now, prompt));
    stats_.prompt_tokens += now.size();
    if (prompt.progress != nullptr && !goes_on(*prompt.progress, now_.tokens.size(), prompt.end)) return cancelled();
  }
  return {};
}

// Tokens that were said become the session's: those that were read ahead are there already, and behind the others up
// to `most_ahead` are read ahead.
Status SessionState::advance(std::span<const TokenId> said, std::size_t most_ahead, Finish& finish) {
  const std::size_t before = said.size();
  while (!said.empty() && now_.take_ahead(said.front())) {
    said = said.subspan(1);
    if (now_.tokens.size() % kSnapshotTokens == 0) now_.keep_state();
  }
  finish.accepted += before - said.size();
  if (said.empty()) {
    if (before == 0) return {};
    const Status good = check_logits(logits(), now_.tokens.size() - 1);
    if (!good.ok()) now_.clear();
    return good;
  }
  const std::span<const TokenId> guessed = guess(said.size(), most_ahead);
  ++finish.passes;
  finish.drafted += guessed.size();
  return step(said, {.end = kNoEnd, .said = true, .guess = guessed});
}

// What is worth reading ahead behind so many tokens.
std::span<const TokenId> SessionState::guess(std::size_t said, std::size_t most) {
  const std::size_t chunk = model_->runtime->chunk_tokens();
  if (most == 0 || said >= chunk) return {};
  const auto all = drafter_->next(std::min(most, chunk - said), beside_ + said, model_->runtime->costs());
  // Nothing is said behind the end of an answer.
  return all.first(static_cast<std::size_t>(
      std::ranges::find_if(all, [&](TokenId id) { return model_->tokenizer.ends_generation(id); }) - all.begin()));
}

// Whether the network's answer can be used.
Status SessionState::check_logits(std::span<const float> logits, std::size_t position) const {
  LFM_TRY(model_->packed.check_intact());
  return check_finite(logits, position);
}

// One chunk. The state where the prompt ends is kept, as is that one token before: from there its logits are a step
// away. Cancelled, the session is as it was; after another error it is empty.
Status SessionState::step(std::span<const TokenId> tokens, const Prompt& prompt) {
  std::span<const TokenId> all = tokens;
  if (prompt.guess.empty()) {
    now_.ahead.clear();
  } else {
    all = now_.ahead.begin(tokens, prompt.guess, now_.logits_stride, now_.state.all_conv().size());
  }
  LFM_TRY(now_.state.make_room(all.size()));
  const std::size_t position = now_.tokens.size();
  const bool may_stop = tokens.size() > 1 && !prompt.said;  // on the way; a single token is soon done
  if (position > 0 && (may_stop || position + 1 == prompt.end)) now_.keep_state();
  std::array<ops::StateCopy, model::kMaxCheckpoints> checkpoints;
  std::size_t count = 0, marked = 0;
  for (std::size_t n = 1; n <= tokens.size(); ++n) {
    const std::size_t at = position + n;
    bool kept = at % kSnapshotTokens == 0 || at == prompt.end || at + 1 == prompt.end;
    if (!kept && marked < kMaxEnds && std::binary_search(prompt.ends.begin(), prompt.ends.end(), at)) {
      kept = true;
      ++marked;
    }
    if (kept && !(n == tokens.size() && all.size() > n))
      checkpoints[count++] = {at, now_.snapshots.add(at, position).data()};
  }
  for (std::size_t n = tokens.size(); n <= all.size() && all.size() > tokens.size(); ++n)
    checkpoints[count++] = {position + n, now_.ahead.conv(n - tokens.size()).data()};

  Status good;
  Runtime::Step run{.logits = now_.logits.data(),
                    .stride = now_.logits_stride,
                    .said = prompt.said,
                    .beside = &beside_,
                    .checkpoints = {checkpoints.data(), count}};
  if (position + tokens.size() < prompt.end && prompt.end != kNoEnd) run.logits = nullptr;
  if (!prompt.guess.empty()) {
    run.logits = now_.ahead.logits(0).data();
    run.outputs = prompt.guess.size() + 1;
  }
  if (!prompt.said) run.cancel = &cancelled_;
  run.stops = may_stop;
  const std::size_t end = position + tokens.size(), from = std::max(prompt.from, position);
  if (prompt.each != nullptr && from < end) {
    run.outputs = end - from;
    run.each = [&](std::size_t first, std::size_t rows, const float* logits) {
      for (std::size_t i = 0; i < rows && good.ok(); ++i) {
        const std::span<const float> row(logits + i * now_.logits_stride, model_->config.vocab);
        good = check_logits(row, from + first + i);
        if (!good.ok()) return;
        const base::CallersFloatMode mode;
        (*prompt.each)(row);
      }
    };
  }
  Runtime::Outcome outcome;
  try {
    outcome = model_->runtime->step(model_->weights, model_->config, now_.state, all, run);
  } catch (...) {
    now_.clear();  // no memory, or what the application's callback throws, who is told
    throw;
  }
  if (outcome != Runtime::Outcome::kDone) {
    const bool valid = now_.logits_valid;
    if (outcome == Runtime::Outcome::kStopped) now_.rewind(position);
    now_.snapshots.drop_after(position);
    now_.logits_valid = valid && now_.tokens.size() == position;
    cancelled_.store(false, std::memory_order_relaxed);
    return cancelled();
  }
  now_.tokens.insert(now_.tokens.end(), tokens.begin(), tokens.end());
  now_.logits_valid = run.logits != nullptr;
  if (!prompt.guess.empty()) {
    now_.leave_ahead();
    if (now_.tokens.size() % kSnapshotTokens == 0) now_.keep_state();
  }
  if (good.ok())
    good = now_.logits_valid ? check_logits(logits(), now_.tokens.size() - 1) : model_->packed.check_intact();
  if (!good.ok()) now_.clear();
  return good;
}

std::unique_ptr<SessionState> SessionState::fork() const {
  return std::unique_ptr<SessionState>(new SessionState(model_, now_.fork(), room_, snapshot_bytes_));
}

Status SessionState::save(const std::string& path) const {
  return save_timeline(now_, model_->fingerprint.value(*model_), path);
}

Status SessionState::load(const std::string& path) {
  const SavedModel model{model_->config, model_->fingerprint.value(*model_), now_.state.kv().format(),
                         model_->draft_config()};
  LFM_ASSIGN(now_, load_timeline(path, model, room_, snapshot_bytes_));
  return {};
}

}  // namespace lfm::engine
