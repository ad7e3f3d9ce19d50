// A loaded model, and how it answers a request.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "lfm/lfm.h"
#include "serve/chat_request.h"
#include "serve/dates.h"
#include "serve/sessions.h"

namespace lfm::serve {

struct ModelSettings {
  std::string name;                // under which clients know it
  std::size_t context_tokens = 0;  // of a session; 0: the library's choice
  std::size_t sessions = 4;        // that are kept when nobody uses them
  std::int64_t created = 0;        // seconds since 1970
};

// A request that can be answered: its prompt is tokens, what its answer is held to is compiled.
struct Prepared {
  ChatRequest request;
  std::optional<Chat> chat;
  std::vector<TokenId> prompt;
};

using Deadline = std::chrono::steady_clock::time_point;

// Until when an answer is worth making.
struct Patience {
  std::stop_token gone = {};            // asked to stop when nobody waits for it any more
  Deadline deadline = Deadline::max();  // what there is then is the answer
  bool lost() const noexcept { return gone.stop_requested(); }
};

// From any number of threads.
class Model {
 public:
  Model(Engine engine, ModelSettings settings);

  const Engine& engine() const noexcept { return engine_; }
  const std::string& name() const noexcept { return settings_.name; }
  std::int64_t created() const noexcept { return settings_.created; }
  std::size_t context_tokens() const noexcept { return context_tokens_; }
  const Sessions& sessions() const noexcept { return sessions_; }

  // The conversation's form, with these tools and the date that it began with.
  Result<Chat> chat(const ChatRequest& request) const;

  // What is wrong with the request is found here; it takes no turn of the engine.
  Result<Prepared> prepare(ChatRequest request) const;

  // How prepare()'s error is told, with the numbers that programs look for.
  ApiError refusal(const Error& error) const;

  // Answers it, on this thread, which ends within a token where nobody waits for it; then the outcome doesn't matter.
  Result<Outcome> answer(const Prepared& prepared, AnswerWriter& writer, const Patience& patience) const;

 private:
  Result<std::optional<Constraint>> constraint(const ChatRequest& request) const;
  Status choose(Session& session, const Prepared& prepared, std::size_t choice, const GenerateOptions& options,
                AnswerWriter& writer, const Patience& patience, Outcome& outcome) const;

  const Engine engine_;
  const ModelSettings settings_;
  std::size_t context_tokens_;
  mutable ConstraintCache constraints_;
  mutable Sessions sessions_;
  mutable Dates dates_;
};

}  // namespace lfm::serve
