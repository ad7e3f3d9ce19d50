#include "engine/session.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/checked.h"
#include "base/try.h"

namespace lfm::engine {
namespace {

constexpr std::size_t kDefaultContext = 32768;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Status check_finite(std::span<const float> logits, std::size_t position) {
  // A sum of finite floats in double can't overflow, and one NaN or infinity makes it so.
  double sum = 0;
  for (const float logit : logits) sum += logit;
  if (std::isfinite(sum)) return {};
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
  return std::unique_ptr<SessionState>(new SessionState(std::move(model), std::move(state), room));
}

SessionState::SessionState(std::shared_ptr<const Model> model, model::State state, std::size_t room)
    : model_(std::move(model)),
      state_(std::move(state)),
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
  const bool extends = tokens.size() >= tokens_.size() && std::equal(tokens_.begin(), tokens_.end(), tokens.begin());
  if (!extends) {
    state_.clear();
    tokens_.clear();
  }
  const SyncInfo info{tokens_.size(), tokens.size() - tokens_.size()};
  LFM_TRY(evaluate(tokens.subspan(tokens_.size()), nullptr));
  return info;
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
  const auto start = std::chrono::steady_clock::now();
  const std::size_t chunk = model_->runtime->chunk_tokens();
  const std::size_t vocab = model_->config.vocab;
  const std::size_t all = tokens.size();
  while (!tokens.empty()) {
    if (take_cancel()) return Error{ErrorCode::kCancelled, "cancelled"};
    const std::span<const TokenId> now = tokens.first(std::min(chunk, tokens.size()));
    tokens = tokens.subspan(now.size());
    Runtime::Outputs outputs{tokens.empty() ? logits_.data() : nullptr, logits_stride_};
    Status finite;
    if (each) {
      outputs.each = [&](std::size_t first, std::size_t count, const float* logits) {
        for (std::size_t i = 0; i < count && finite.ok(); ++i) {
          const std::span<const float> row(logits + i * logits_stride_, vocab);
          finite = check_finite(row, tokens_.size() + first + i);
          if (finite.ok()) each(row);
        }
      };
    }
    model_->runtime->step(model_->weights, model_->config, state_, now, outputs);
    LFM_TRY(std::move(finite));
    tokens_.insert(tokens_.end(), now.begin(), now.end());
  }
  if (all > 0) LFM_TRY(check_finite(logits(), tokens_.size() - 1));
  stats_.prompt_tokens += all;
  stats_.prompt_seconds += seconds_since(start);
  return {};
}

Status SessionState::advance(TokenId token) {
  const Runtime::Outputs outputs{logits_.data(), logits_stride_};
  model_->runtime->step(model_->weights, model_->config, state_, {&token, 1}, outputs);
  tokens_.push_back(token);
  return check_finite(logits(), tokens_.size() - 1);
}

}  // namespace lfm::engine
