// The inside of a Session.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "engine/model.h"
#include "lfm/session.h"
#include "model/snapshots.h"

namespace lfm::engine {

class SessionState {
 public:
  static Result<std::unique_ptr<SessionState>> create(std::shared_ptr<const Model> model,
                                                      const SessionOptions& options);

  Result<SyncInfo> sync(std::span<const TokenId> tokens);
  Status append(std::span<const TokenId> tokens, const Session::LogitsCallback& each);
  Result<Finish> generate(const GenerateOptions& options, const std::function<bool(const Piece&)>& callback);
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }

  std::span<const TokenId> tokens() const noexcept { return tokens_; }
  std::size_t context_tokens() const noexcept { return room_; }
  std::span<const float> logits() const noexcept {
    return std::span<const float>(logits_.data(), logits_valid_ ? model_->config.vocab : 0);
  }
  const SessionStats& stats() const noexcept { return stats_; }

 private:
  SessionState(std::shared_ptr<const Model> model, model::State state, model::Snapshots snapshots, std::size_t room);

  Status check(std::span<const TokenId> tokens) const;
  Status evaluate(std::span<const TokenId> tokens, const Session::LogitsCallback& each);
  Status step(std::span<const TokenId> tokens, std::size_t end, const Session::LogitsCallback& each);
  Status advance(TokenId token);  // one decoding step
  void rewind(std::size_t position) noexcept;
  void reset() noexcept;
  void keep_state();
  bool take_cancel() noexcept { return cancelled_.exchange(false, std::memory_order_relaxed); }

  std::shared_ptr<const Model> model_;
  model::State state_;
  model::Snapshots snapshots_;
  std::size_t room_;  // tokens
  std::vector<TokenId> tokens_;
  std::size_t logits_stride_;
  std::vector<float> logits_;  // (stride) of the last token
  bool logits_valid_ = false;
  std::atomic<bool> cancelled_ = false;
  SessionStats stats_;
};

}  // namespace lfm::engine
