#include <utility>

#include "c/handles.h"

namespace c = lfm::c;

lfm_session_options lfm_session_defaults() {
  const lfm::SessionOptions defaults;
  return {defaults.context_tokens, defaults.snapshot_bytes};
}

lfm_code lfm_session_new(const lfm_engine* engine, const lfm_session_options* options, lfm_session** session,
                         lfm_error* error) {
  return c::guarded(error, [&] {
    lfm::SessionOptions inner;
    if (options != nullptr) inner = {options->context_tokens, options->snapshot_bytes};
    auto made = engine->engine.new_session(inner);
    if (!made.ok()) return c::report(made.error(), error);
    *session = new lfm_session{engine->engine, *std::move(made)};
    return LFM_OK;
  });
}

void lfm_session_free(lfm_session* session) {
  delete session;
}

lfm_code lfm_session_sync(lfm_session* session, const lfm_token* tokens, size_t count, const size_t* ends,
                          size_t end_count, lfm_sync_info* info, lfm_error* error) {
  return c::guarded(error, [&] {
    const auto synced = session->session.sync(c::span(tokens, count), c::span(ends, end_count));
    if (!synced.ok()) return c::report(synced.error(), error);
    if (info != nullptr) *info = {synced->reused, synced->evaluated};
    return LFM_OK;
  });
}

lfm_code lfm_session_append(lfm_session* session, const lfm_token* tokens, size_t count, lfm_error* error) {
  return c::guarded(error, [&] { return c::status(session->session.append(c::span(tokens, count)), error); });
}

void lfm_session_cancel(lfm_session* session) {
  session->session.cancel();
}

lfm_code lfm_session_fork(const lfm_session* session, lfm_session** fork, lfm_error* error) {
  return c::guarded(error, [&] {
    auto made = session->session.fork();
    if (!made.ok()) return c::report(made.error(), error);
    *fork = new lfm_session{session->engine, *std::move(made)};
    return LFM_OK;
  });
}

lfm_code lfm_session_save(const lfm_session* session, const char* path, lfm_error* error) {
  return c::guarded(error, [&] { return c::status(session->session.save(path), error); });
}

lfm_code lfm_session_load(lfm_session* session, const char* path, lfm_error* error) {
  return c::guarded(error, [&] { return c::status(session->session.load(path), error); });
}

const lfm_token* lfm_session_tokens(const lfm_session* session, size_t* count) {
  const auto tokens = session->session.tokens();
  *count = tokens.size();
  return tokens.data();
}

const float* lfm_session_logits(const lfm_session* session, size_t* count) {
  const auto logits = session->session.logits();
  *count = logits.size();
  return logits.empty() ? nullptr : logits.data();
}

size_t lfm_session_context_tokens(const lfm_session* session) {
  return session->session.context_tokens();
}

lfm_session_stats lfm_session_get_stats(const lfm_session* session) {
  const lfm::SessionStats& stats = session->session.stats();
  return {stats.reused_tokens, stats.prompt_tokens, stats.prompt_seconds, stats.generated_tokens,
          stats.generate_seconds};
}
