#include "engine/session.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <limits>

#include "base/checked.h"
#include "base/try.h"
#include "model/forward.h"

namespace lfm::engine {
namespace {

constexpr std::size_t kDefaultContext = 32768;
// Tokens between two snapshots: what an edit costs at most, beside the new tokens.
constexpr std::size_t kSnapshotTokens = 32;
constexpr std::size_t kNoEnd = ~std::size_t{0};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Status check_finite(std::span<const float> logits, std::size_t position) {
  unsigned bad = 0;  // no early exit, so that the compiler takes many at once
  for (const float logit : logits) bad |= !(std::fabs(logit) < std::numeric_limits<float>::infinity());
  if (bad == 0) return {};
  return Error{ErrorCode::kNumeric, "the network gave NaN or infinity", "logits", position};
}

}  // namespace

Result<std::unique_ptr<SessionState>> SessionState::create(std::shared_ptr<const Model> model,
                                                           const SessionOptions& options) {
  const std::size_t trained = model->config.context_length;
  if (options.context_tokens > trained) {
    return Error{ErrorCode::kLimit, "the model was trained for " + std::to_string(trained) + " tokens",
                 "context_tokens"};
  }
  const std::size_t room = options.context_tokens != 0 ? options.context_tokens : std::min(trained, kDefaultContext);
  LFM_ASSIGN(model::State state, model::State::create(model->config, room));
  LFM_ASSIGN(model::Snapshots snapshots, model::Snapshots::create(state.all_conv().size(), options.snapshot_bytes));
  return std::unique_ptr<SessionState>(
      new SessionState(std::move(model), std::move(state), std::move(snapshots), room));
}

SessionState::SessionState(std::shared_ptr<const Model> model, model::State state, model::Snapshots snapshots,
                           std::size_t room)
    : model_(std::move(model)),
      state_(std::move(state)),
      snapshots_(std::move(snapshots)),
      room_(room),
      logits_stride_(base::round_up(model_->config.vocab, kernels::kTileRows)),
      logits_(logits_stride_) {
  tokens_.reserve(room);
}

Status SessionState::check(std::span<const TokenId> tokens) const {
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i] < 0 || static_cast<std::size_t>(tokens[i]) >= model_->config.vocab) {
      return Error{ErrorCode::kArgument, "token id " + std::to_string(tokens[i]) + " isn't in the vocabulary", "tokens",
                   i};
    }
  }
  return {};
}

Result<SyncInfo> SessionState::sync(std::span<const TokenId> tokens) {
  LFM_TRY(check(tokens));
  if (tokens.size() > room_) {
    return Error{ErrorCode::kLimit, std::to_string(tokens.size()) + " tokens in a context of " + std::to_string(room_),
                 "tokens"};
  }
  const auto differs = std::mismatch(tokens_.begin(), tokens_.end(), tokens.begin(), tokens.end());
  const std::size_t common = static_cast<std::size_t>(differs.first - tokens_.begin());
  const bool same = common == tokens_.size() && (common < tokens.size() || logits_valid_);
  // Where tokens go, or logits are wanted that are no longer there, the last token at least is evaluated again.
  if (!same) rewind(std::min(common, tokens.empty() ? 0 : tokens.size() - 1));
  snapshots_.drop_after(common);
  const SyncInfo info{tokens_.size(), tokens.size() - tokens_.size()};
  LFM_TRY(evaluate(tokens.subspan(tokens_.size()), nullptr));
  return info;
}

// Back to the latest position at or before `position` whose state is known.
void SessionState::rewind(std::size_t position) noexcept {
  const model::Snapshots::Found found = snapshots_.find(position);
  state_.rewind(found.position, found.conv);
  tokens_.resize(found.position);
  logits_valid_ = false;
}

void SessionState::reset() noexcept {
  snapshots_.drop_after(0);
  rewind(0);
}

Status SessionState::append(std::span<const TokenId> tokens, const Session::LogitsCallback& each) {
  LFM_TRY(check(tokens));
  if (tokens.size() > room_ - tokens_.size()) {
    return Error{ErrorCode::kLimit,
                 std::to_string(tokens_.size() + tokens.size()) + " tokens in a context of " + std::to_string(room_),
                 "tokens"};
  }
  return evaluate(tokens, each);
}

// Tokens are valid and fit.
Status SessionState::evaluate(std::span<const TokenId> tokens, const Session::LogitsCallback& each) {
  if (tokens.empty()) return {};
  const auto start = std::chrono::steady_clock::now();
  const std::size_t end = tokens_.size() + tokens.size();
  const std::size_t chunk = model_->runtime->chunk_tokens();
  while (!tokens.empty()) {
    if (take_cancel()) return Error{ErrorCode::kCancelled, "cancelled"};
    const std::span<const TokenId> now = tokens.first(std::min(chunk, tokens.size()));
    tokens = tokens.subspan(now.size());
    LFM_TRY(step(now, end, each));
    stats_.prompt_tokens += now.size();
  }
  stats_.prompt_seconds += seconds_since(start);
  return {};
}

Status SessionState::advance(TokenId token) {
  return step({&token, 1}, kNoEnd, nullptr);
}

void SessionState::keep_state() {
  const model::Snapshots::Found kept = snapshots_.find(state_.position());
  if (kept.position == state_.position() && !kept.conv.empty()) return;
  const std::span<const float> conv = state_.all_conv();
  std::copy(conv.begin(), conv.end(), snapshots_.add(state_.position()).begin());
}

// One chunk. `end` is where the whole prompt ends, whose state is kept, as is that one token before: from there its
// logits are a step away. After an error the session is empty.
Status SessionState::step(std::span<const TokenId> tokens, std::size_t end, const Session::LogitsCallback& each) {
  const std::size_t position = tokens_.size();
  if (position + 1 == end) keep_state();
  std::array<ops::StateCopy, model::kMaxCheckpoints> checkpoints;
  std::size_t count = 0;
  for (std::size_t n = 1; n <= tokens.size(); ++n) {
    const std::size_t at = position + n;
    if (at % kSnapshotTokens == 0 || at == end || at + 1 == end) checkpoints[count++] = {n, snapshots_.add(at).data()};
  }

  Status finite;
  Runtime::Outputs outputs{logits_.data(), logits_stride_, {checkpoints.data(), count}};
  if (position + tokens.size() < end && end != kNoEnd) outputs.last_logits = nullptr;
  if (each) {
    outputs.each = [&](std::size_t first, std::size_t rows, const float* logits) {
      for (std::size_t i = 0; i < rows && finite.ok(); ++i) {
        const std::span<const float> row(logits + i * logits_stride_, model_->config.vocab);
        finite = check_finite(row, position + first + i);
        if (finite.ok()) each(row);
      }
    };
  }
  model_->runtime->step(model_->weights, model_->config, state_, tokens, outputs);
  tokens_.insert(tokens_.end(), tokens.begin(), tokens.end());
  logits_valid_ = outputs.last_logits != nullptr;
  if (finite.ok() && logits_valid_) finite = check_finite(logits(), tokens_.size() - 1);
  if (!finite.ok()) reset();
  return finite;
}

}  // namespace lfm::engine
