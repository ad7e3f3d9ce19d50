#include <utility>

#include "base/try.h"
#include "c/convert.h"
#include "c/sized.h"

namespace c = lfm::c;

lfm_code lfm_session_new(const lfm_engine* engine, const lfm_session_options* options, lfm_session** session,
                         lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{engine, "engine"}, {session, "session"}}));
    LFM_ASSIGN(const lfm_session_options given, c::read_sized(options, "options"));
    lfm::SessionOptions inner;
    inner.context_tokens = given.context_tokens;
    if (given.snapshot_bytes != 0) inner.snapshot_bytes = given.snapshot_bytes;
    LFM_ASSIGN(inner.cache_keys, c::cache_type_of(given.cache_keys, "cache_keys"));
    LFM_ASSIGN(inner.cache_values, c::cache_type_of(given.cache_values, "cache_values"));
    LFM_ASSIGN(lfm::Session made, engine->engine.new_session(inner));
    *session = new lfm_session{engine->engine, std::move(made)};
    return {};
  });
}

void lfm_session_free(lfm_session* session) {
  delete session;
}

lfm_code lfm_session_sync(lfm_session* session, const lfm_token* tokens, size_t count, const lfm_sync_options* options,
                          lfm_sync_info* info, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{session, "session"}}));
    LFM_ASSIGN(const auto ids, c::array(tokens, count, "tokens"));
    LFM_ASSIGN(const lfm_sync_options given, c::read_sized(options, "options"));
    lfm::SyncOptions inner;
    LFM_ASSIGN(inner.ends, c::array(given.ends, given.end_count, "ends"));
    inner.cancel = c::token_of(given.cancel);
    inner.progress = c::progress_of(given.progress, given.progress_user);
    LFM_ASSIGN(const lfm::SyncInfo synced, session->session.sync(ids, inner));
    if (info != nullptr) *info = {synced.reused, synced.evaluated};
    return {};
  });
}

lfm_code lfm_session_append(lfm_session* session, const lfm_token* tokens, size_t count, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{session, "session"}}));
    LFM_ASSIGN(const auto ids, c::array(tokens, count, "tokens"));
    return session->session.append(ids);
  });
}

lfm_code lfm_session_append_each(lfm_session* session, const lfm_token* tokens, size_t count, lfm_logits_callback each,
                                 void* user, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{session, "session"}, {reinterpret_cast<const void*>(each), "each"}}));
    LFM_ASSIGN(const auto ids, c::array(tokens, count, "tokens"));
    return session->session.append(ids,
                                   [&](std::span<const float> logits) { each(logits.data(), logits.size(), user); });
  });
}

void lfm_session_cancel(lfm_session* session) {
  if (session != nullptr) session->session.cancel();
}

void lfm_session_clear_cancel(lfm_session* session) {
  if (session != nullptr) session->session.clear_cancel();
}

lfm_code lfm_session_fork(const lfm_session* session, lfm_session** fork, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{session, "session"}, {fork, "fork"}}));
    LFM_ASSIGN(lfm::Session made, session->session.fork());
    *fork = new lfm_session{session->engine, std::move(made)};
    return {};
  });
}

lfm_code lfm_session_save(const lfm_session* session, const char* path, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{session, "session"}, {path, "path"}}));
    return session->session.save(path);
  });
}

lfm_code lfm_session_load(lfm_session* session, const char* path, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{session, "session"}, {path, "path"}}));
    return session->session.load(path);
  });
}

const lfm_token* lfm_session_tokens(const lfm_session* session, size_t* count) {
  const auto tokens = session != nullptr ? session->session.tokens() : std::span<const lfm_token>();
  if (count != nullptr) *count = tokens.size();
  return tokens.data();
}

const float* lfm_session_logits(const lfm_session* session, size_t* count) {
  const auto logits = session != nullptr ? session->session.logits() : std::span<const float>();
  if (count != nullptr) *count = logits.size();
  return logits.empty() ? nullptr : logits.data();
}

size_t lfm_session_context_tokens(const lfm_session* session) {
  return session != nullptr ? session->session.context_tokens() : 0;
}

lfm_code lfm_session_get_stats(const lfm_session* session, lfm_session_stats* stats, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{session, "session"}}));
    const lfm::SessionStats& inner = session->session.stats();
    lfm_session_stats out{};
    out.reused_tokens = inner.reused_tokens;
    out.prompt_tokens = inner.prompt_tokens;
    out.prompt_seconds = inner.prompt_seconds;
    out.generated_tokens = inner.generated_tokens;
    out.generate_seconds = inner.generate_seconds;
    out.generate_passes = inner.generate_passes;
    out.drafted_tokens = inner.drafted_tokens;
    out.accepted_tokens = inner.accepted_tokens;
    return c::write_sized(out, stats, "stats");
  });
}
