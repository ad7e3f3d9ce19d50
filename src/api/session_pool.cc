// SessionPool, on top of its insides.
#include "lfm/session_pool.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "api/answer.h"
#include "api/guarded.h"
#include "base/huge_pages.h"
#include "base/try.h"
#include "engine/model.h"
#include "engine/pool/answer_memory.h"
#include "engine/pool/session_folder.h"
#include "engine/pool/session_store.h"
#include "engine/session/saved_session.h"
#include "engine/session/session.h"

namespace lfm {

using engine::guarded;
using engine::SessionStore;

namespace {

std::uint64_t default_bytes() {
  constexpr std::uint64_t kMost = std::uint64_t{4} << 30, kUnknown = std::uint64_t{1} << 30;
  const std::uint64_t total = base::available_memory().total;
  return total == 0 ? kUnknown : std::min(kMost, total / 8);
}

// Where a conversation's system prompt ends, from which others go on; 0 where it has none.
std::size_t stem_of(std::span<const Message> messages, const Prompt& prompt) {
  if (messages.empty() || prompt.ends.empty()) return 0;
  // The form makes one of the tools where the conversation has none.
  const bool has_one = messages.front().role == Role::kSystem || prompt.ends.size() > messages.size();
  return has_one ? prompt.ends.front() : 0;
}

}  // namespace

struct SessionPool::Inner {
  // `first`: a session of the pool.
  Inner(std::shared_ptr<const engine::Model> model_, const engine::SessionState& first,
        const SessionPoolOptions& options)
      : model(std::move(model_)),
        session(options.session),
        room(first.context_tokens()),
        cache(first.line().state.kv().format()),
        store(options.bytes != 0 ? options.bytes : default_bytes()),
        answers(options.answer_bytes) {}

  std::unique_ptr<engine::SessionState> take(std::span<const TokenId> tokens) {
    std::unique_ptr<engine::SessionState> state = fork(store.find(tokens));
    ++taken;
    return state;
  }

  std::unique_ptr<engine::SessionState> fork(const SessionStore::Found& found) {
    if (found.line == nullptr) return nullptr;
    taken_tokens += found.tokens;
    return std::make_unique<engine::SessionState>(model, found.line->fork(found.tokens), room, session.snapshot_bytes);
  }

  // Its first `tokens` ones.
  Status keep(engine::SessionState& state, std::size_t tokens, SessionStore::Kind kind) {
    const engine::SessionState::Use use(state);
    if (!use.granted()) return Error{ErrorCode::kState, engine::kBusy, "session"};
    const bool ours = &state.model() == model.get() && state.context_tokens() == room &&
                      state.snapshot_bytes() == session.snapshot_bytes && state.line().state.kv().format() == cache;
    if (!ours) return Error{ErrorCode::kArgument, "of another engine, or with other options", "session"};
    const engine::Timeline& line = state.line();
    const std::size_t end = tokens >= line.tokens.size() ? line.tokens.size() : line.snapshots.find(tokens).position;
    if (end > 0) (void)store.keep(line.fork(end), kind);
    return {};
  }

  const std::shared_ptr<const engine::Model> model;
  const SessionOptions session;
  const std::size_t room;
  const kernels::KvFormat cache;
  SessionStore store;
  engine::AnswerMemory answers;
  std::atomic<std::uint64_t> taken = 0;
  std::atomic<std::uint64_t> taken_tokens = 0;
};

Result<SessionPool> SessionPool::create(const Engine& engine, const SessionPoolOptions& options) {
  return guarded([&]() -> Result<SessionPool> {
    LFM_TRY(engine.model_->check_process());
    LFM_ASSIGN(const auto first, engine::SessionState::create(engine.model_, options.session));
    return SessionPool(std::make_shared<Inner>(engine.model_, *first, options));
  });
}

Result<Session> SessionPool::take(std::span<const TokenId> tokens) const {
  return guarded([&]() -> Result<Session> {
    LFM_TRY(inner_->model->check_process());
    std::unique_ptr<engine::SessionState> state = inner_->take(tokens);
    if (state == nullptr) {
      LFM_ASSIGN(state, engine::SessionState::create(inner_->model, inner_->session));
    }
    return Session(std::move(state));
  });
}

Status SessionPool::keep(const Session& session) const {
  return guarded([&] { return inner_->keep(*session.state_, session.tokens().size(), SessionStore::Kind::kWhole); });
}

Status SessionPool::keep(const Session& session, std::size_t tokens) const {
  return guarded([&] { return inner_->keep(*session.state_, tokens, SessionStore::Kind::kStem); });
}

Result<Answer> SessionPool::answer(const Chat& chat, std::span<const Message> messages, const GenerateOptions& options,
                                   const Chat::PieceCallback& callback) const {
  return guarded([&]() -> Result<Answer> {
    const chat::Template& form = *chat.inner_;
    if (&form.tokenizer() != &inner_->model->tokenizer) {
      return Error{ErrorCode::kArgument, "belongs to another engine than the pool", "chat"};
    }
    std::vector<Message> conversation(messages.begin(), messages.end());
    inner_->answers.recall(conversation);
    if (conversation.empty()) return Error{ErrorCode::kArgument, "there is nothing to answer", "messages"};
    LFM_ASSIGN(const Prompt prompt, write_prompt(form, conversation, options.continue_last));
    LFM_ASSIGN(Session session, take(prompt.tokens));
    // What can't be kept for want of memory is read again another time.
    const std::size_t stem = stem_of(conversation, prompt);
    const auto read = [&] {
      if (stem > 0 && session.tokens().size() >= stem) (void)keep(session, stem);
      (void)keep(session);
    };
    LFM_ASSIGN(Answer answer, answer_prompt(form, *session.state_, prompt, options, callback, read));
    if (answer.finish.tokens > 0) {
      (void)keep(session);
      if (options.continue_last) conversation.pop_back();
      (void)remember(chat, conversation, answer.message);
    }
    return answer;
  });
}

Status SessionPool::remember(const Chat& chat, std::span<const Message> conversation, const Message& answer) const {
  return guarded([&]() -> Status {
    if (!answer.tokens.empty() || !answer.reasoning.empty()) {
      inner_->answers.remember(conversation, answer, chat.date());
    }
    return {};
  });
}

Status SessionPool::recall(std::vector<Message>& messages) const {
  return guarded([&]() -> Status {
    inner_->answers.recall(messages);
    return {};
  });
}

std::string SessionPool::date(std::span<const Message> messages) const {
  const auto date = guarded([&]() -> Result<std::string> { return inner_->answers.date(messages); });
  return date.ok() ? *date : std::string();
}

SessionPoolStats SessionPool::stats() const {
  const SessionStore::Stats store = inner_->store.stats();
  const engine::AnswerMemory::Stats answers = inner_->answers.stats();
  return {.states = store.lines,
          .bytes = store.bytes,
          .most_bytes = inner_->store.most_bytes(),
          .answers = answers.answers,
          .answer_bytes = answers.bytes,
          .taken = inner_->taken,
          .taken_tokens = inner_->taken_tokens,
          .evicted = store.evicted};
}

void SessionPool::clear() const {
  inner_->store.clear();
  inner_->answers.clear();
}

Status SessionPool::save(const std::string& folder) const {
  return guarded([&]() -> Status {
    const engine::Model& model = *inner_->model;
    LFM_TRY(model.check_process());
    return engine::save_lines(inner_->store.lines(), model.fingerprint.value(model), folder);
  });
}

Result<SessionPool::Loaded> SessionPool::load(const std::string& folder) const {
  return guarded([&]() -> Result<Loaded> {
    const engine::Model& model = *inner_->model;
    LFM_TRY(model.check_process());
    Loaded loaded;
    LFM_ASSIGN(const auto files, engine::saved_lines(folder));
    for (const std::string& file : files) {
      const engine::SavedModel saved{model.config, model.fingerprint.value(model), inner_->cache, model.draft_config()};
      auto line = engine::load_timeline(folder + "/" + file, saved, inner_->room, inner_->session.snapshot_bytes);
      if (!line.ok()) {
        loaded.left_out.push_back(std::move(line).error());
        loaded.left_out.back().field = file;
        continue;
      }
      if (!inner_->store.keep_last(*std::move(line))) break;
      ++loaded.states;
    }
    return loaded;
  });
}

}  // namespace lfm
