// The inside of a Session.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <utility>
#include <vector>

#include "engine/draft/drafter.h"
#include "engine/model.h"
#include "engine/session/timeline.h"
#include "lfm/session.h"

namespace lfm::engine {

class SessionState {
 public:
  // While it lives, the session is in use. Not granted within another one, nor where the model's runtime waits for a
  // callback on this thread.
  class Use {
   public:
    explicit Use(SessionState& state) noexcept;
    ~Use();
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    bool granted() const noexcept { return granted_; }

   private:
    SessionState& state_;
    bool granted_;
  };

  static Result<std::unique_ptr<SessionState>> create(std::shared_ptr<const Model> model,
                                                      const SessionOptions& options);

  // Goes on from a timeline that has such room.
  SessionState(std::shared_ptr<const Model> model, Timeline timeline, std::size_t room, std::size_t snapshot_bytes);

  Result<SyncInfo> sync(std::span<const TokenId> tokens, const SyncOptions& options);
  Status append(std::span<const TokenId> tokens, const Session::LogitsCallback& each, std::size_t from = 0);
  // `thinks`: whether an answer that is held to something may begin with thinking; nothing: as the model's file says.
  Result<Finish> generate(const GenerateOptions& options, const std::function<bool(const Piece&)>& callback,
                          std::optional<bool> thinks = std::nullopt);
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  void clear_cancel() noexcept { cancelled_.store(false, std::memory_order_relaxed); }
  void settle() noexcept { now_.settle(); }  // after an exception
  // From the next generation on the draft network's guesses are what this makes of them; null: they are its own.
  using GuessFilter = std::function<std::unique_ptr<DraftSource>(std::unique_ptr<DraftSource>)>;
  void filter_guesses(GuessFilter filter) {
    filter_ = std::move(filter);
    drafter_.reset();
  }

  std::unique_ptr<SessionState> fork() const;
  Status save(const std::string& path) const;
  Status load(const std::string& path);

  const Model& model() const noexcept { return *model_; }
  const Timeline& line() const noexcept { return now_; }
  std::size_t snapshot_bytes() const noexcept { return snapshot_bytes_; }
  std::span<const TokenId> tokens() const noexcept { return now_.tokens; }
  std::size_t context_tokens() const noexcept { return room_; }
  std::span<const float> logits() const noexcept {
    return std::span<const float>(now_.logits.data(), now_.logits_valid ? now_.vocab : 0);
  }
  const SessionStats& stats() const noexcept { return stats_; }

 private:
  // What a step is part of.
  struct Prompt {
    std::size_t end;                                // position where it ends, or kNoEnd
    std::span<const std::size_t> ends = {};         // positions whose states are kept too
    const Session::LogitsCallback* each = nullptr;  // where every token's logits are wanted,
    std::size_t from = 0;                           // from this position on
    bool said = false;                              // its text is out already: a cancellation comes after it
    const ProgressCallback* progress = nullptr;     // who wants to know how far it is
    std::span<const TokenId> guess = {};            // to be read ahead behind it
  };

  // While it lives, a call's own request to end it is one to the session, and ends with the call.
  class CallCancel {
   public:
    CallCancel(SessionState& state, const std::stop_token& token)
        : state_(state), request_(std::in_place, token, Request{this}) {}
    ~CallCancel() {
      request_.reset();
      if (came_.load(std::memory_order_relaxed)) state_.clear_cancel();
    }
    CallCancel(const CallCancel&) = delete;
    CallCancel& operator=(const CallCancel&) = delete;

   private:
    struct Request {
      CallCancel* call;
      void operator()() const noexcept {
        call->came_.store(true, std::memory_order_relaxed);
        call->state_.cancel();
      }
    };
    SessionState& state_;
    std::atomic<bool> came_ = false;
    std::optional<std::stop_callback<Request>> request_;
  };

  static constexpr std::size_t kNoEnd = ~std::size_t{0};

  Status check(std::span<const TokenId> tokens) const;
  Status check_logits(std::span<const float> logits, std::size_t position) const;
  Status evaluate(std::span<const TokenId> tokens, const Prompt& prompt);
  Status step(std::span<const TokenId> tokens, const Prompt& prompt);
  Status advance(std::span<const TokenId> said, std::size_t most_ahead, Finish& finish);
  std::span<const TokenId> guess(std::size_t said, std::size_t most);
  void use_drafter(Draft draft);
  bool take_cancel() noexcept { return cancelled_.exchange(false, std::memory_order_relaxed); }

  std::shared_ptr<const Model> model_;
  Timeline now_;
  std::size_t room_;  // tokens
  std::size_t snapshot_bytes_;
  std::unique_ptr<Drafter> drafter_;  // once a generation wanted one
  Draft drafts_by_ = Draft::kOff;     // whose guesses it has
  GuessFilter filter_;
  std::size_t beside_ = 0;            // rows that other sessions had in its last pass
  std::atomic<bool> cancelled_ = false;
  std::atomic<bool> used_ = false;
  SessionStats stats_;

  static_assert(std::atomic<bool>::is_always_lock_free, "signal handlers may set it");
};

}  // namespace lfm::engine
