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
#include "serve/model/request.h"

namespace lfm::serve {

struct ModelSettings {
  std::string name;                                          // under which clients know it
  std::optional<std::size_t> context_tokens = std::nullopt;  // of a session; 0: all that the model was trained for
  SessionOptions session = {};                               // but for its context
  Draft draft = Draft::kOff;                                 // of all answers
  std::uint64_t cache_bytes = 0;  // of what is kept of conversations; 0: the library's choice
  std::int64_t created = 0;       // seconds since 1970
};

// A request that can be answered: its prompt is tokens, what its answer is held to is compiled.
struct Prepared {
  ChatRequest request;
  std::optional<Chat> chat;  // none: a text that goes on
  std::vector<TokenId> prompt;
  std::vector<std::size_t> ends;  // of its messages
  std::size_t stem = 0;           // where the system prompt ends, which others begin with too; 0: there is none
};

using Deadline = std::chrono::steady_clock::time_point;

// Until when an answer is worth making.
struct Patience {
  std::stop_token gone = {};            // asked to stop when nobody waits for it any more
  Deadline deadline = Deadline::max();  // what there is then is the answer
  bool lost() const noexcept { return gone.stop_requested(); }
  bool over() const noexcept { return Deadline::clock::now() >= deadline; }
};

// From any number of threads.
class Model {
 public:
  static Result<std::unique_ptr<Model>> create(Engine engine, ModelSettings settings);

  const Engine& engine() const noexcept { return engine_; }
  const std::string& name() const noexcept { return settings_.name; }
  const std::string& type() const noexcept { return type_; }  // that most of its file has
  std::int64_t created() const noexcept { return settings_.created; }
  std::size_t context_tokens() const noexcept { return context_tokens_; }
  const SessionPool& pool() const noexcept { return pool_; }

  // The conversation's form, with these tools and the date that it began with; what we have said of it ourselves is
  // filled in (SessionPool::recall()).
  Result<Chat> chat(ChatRequest& request) const;

  // What is wrong with the request is found here; it takes no turn of the engine.
  Result<Prepared> prepare(ChatRequest request) const;

  // How prepare()'s error is told, with the numbers that programs look for.
  ApiError refusal(const Error& error) const;

  // Answers it, on this thread, which ends within a token where nobody waits for it; then the outcome doesn't matter.
  Result<Outcome> answer(const Prepared& prepared, AnswerWriter& writer, const Patience& patience) const;

 private:
  Model(Engine engine, ModelSettings settings, std::size_t context_tokens, SessionPool pool);
  Result<std::optional<Constraint>> constraint(const ChatRequest& request) const;
  Result<Constraint> calls(const ToolUse& tools) const;
  Result<SyncInfo> read(const Prepared& prepared, Session& session, const SyncOptions& options) const;
  Result<std::vector<Finish>> say_all(const Prepared& prepared, Session read, AnswerWriter& writer,
                                      const Patience& patience) const;
  void keep_answer(const Prepared& prepared, const Session& session, const Finish& finish) const;

  const Engine engine_;
  const std::string type_;
  const ModelSettings settings_;
  const std::size_t context_tokens_;
  const SessionPool pool_;
  mutable ConstraintCache constraints_;
};

}  // namespace lfm::serve
