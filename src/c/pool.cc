#include <utility>

#include "base/try.h"
#include "c/convert.h"
#include "c/message.h"
#include "c/sized.h"

namespace c = lfm::c;

struct lfm_pool {
  lfm::Engine engine;
  lfm::SessionPool pool;
};

lfm_code lfm_pool_new(const lfm_engine* engine, const lfm_pool_options* options, lfm_pool** pool, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{engine, "engine"}, {pool, "pool"}}));
    LFM_ASSIGN(const lfm_pool_options given, c::read_sized(options, "options"));
    lfm::SessionPoolOptions inner;
    inner.session.context_tokens = given.context_tokens;
    if (given.snapshot_bytes != 0) inner.session.snapshot_bytes = given.snapshot_bytes;
    LFM_ASSIGN(inner.session.cache_keys, c::cache_type_of(given.cache_keys, "cache_keys"));
    LFM_ASSIGN(inner.session.cache_values, c::cache_type_of(given.cache_values, "cache_values"));
    inner.bytes = given.bytes;
    if (given.answer_bytes != 0) inner.answer_bytes = given.answer_bytes;
    LFM_ASSIGN(lfm::SessionPool made, lfm::SessionPool::create(engine->engine, inner));
    *pool = new lfm_pool{engine->engine, std::move(made)};
    return {};
  });
}

void lfm_pool_free(lfm_pool* pool) {
  delete pool;
}

lfm_code lfm_pool_take(const lfm_pool* pool, const lfm_token* tokens, size_t count, lfm_session** session,
                       lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{pool, "pool"}, {session, "session"}}));
    LFM_ASSIGN(const auto ids, c::array(tokens, count, "tokens"));
    LFM_ASSIGN(lfm::Session made, pool->pool.take(ids));
    *session = new lfm_session{pool->engine, std::move(made)};
    return {};
  });
}

lfm_code lfm_pool_keep(const lfm_pool* pool, const lfm_session* session, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{pool, "pool"}, {session, "session"}}));
    return pool->pool.keep(session->session);
  });
}

lfm_code lfm_pool_keep_beginning(const lfm_pool* pool, const lfm_session* session, size_t count, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{pool, "pool"}, {session, "session"}}));
    return pool->pool.keep(session->session, count);
  });
}

lfm_code lfm_pool_answer(const lfm_pool* pool, const lfm_chat* chat, const lfm_message* messages, size_t message_count,
                         const lfm_generate_options* options, lfm_piece_callback callback, void* user,
                         lfm_answer** answer, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{pool, "pool"}, {chat, "chat"}, {answer, "answer"}}));
    LFM_ASSIGN(const auto inner, c::messages_of(messages, message_count));
    LFM_ASSIGN(const lfm::GenerateOptions generate, c::options_of(options, pool->engine));
    LFM_ASSIGN(lfm::Answer made, pool->pool.answer(chat->chat, inner, generate, c::pieces_of(callback, user)));
    *answer = c::new_answer(std::move(made));
    return {};
  });
}

lfm_code lfm_pool_remember(const lfm_pool* pool, const lfm_chat* chat, const lfm_message* messages,
                           size_t message_count, const lfm_message* answer, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{pool, "pool"}, {chat, "chat"}, {answer, "answer"}}));
    LFM_ASSIGN(const auto inner, c::messages_of(messages, message_count));
    LFM_ASSIGN(const lfm::Message said, c::message_of(*answer));
    return pool->pool.remember(chat->chat, inner, said);
  });
}

lfm_code lfm_pool_recall(const lfm_pool* pool, lfm_conversation* conversation, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{pool, "pool"}, {conversation, "conversation"}}));
    const lfm::Status status = pool->pool.recall(conversation->messages);
    conversation->show();
    return status;
  });
}

lfm_code lfm_pool_date(const lfm_pool* pool, const lfm_message* messages, size_t message_count, char* date,
                       size_t capacity, size_t* bytes, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{pool, "pool"}, {bytes, "bytes"}}));
    if (capacity > 0) LFM_TRY(c::given({{date, "date"}}));
    LFM_ASSIGN(const auto inner, c::messages_of(messages, message_count));
    const std::string text = pool->pool.date(inner);
    return c::give<char>(text, date, capacity, bytes);
  });
}

lfm_code lfm_pool_get_stats(const lfm_pool* pool, lfm_pool_stats* stats, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{pool, "pool"}}));
    const lfm::SessionPoolStats inner = pool->pool.stats();
    lfm_pool_stats out{};
    out.states = inner.states;
    out.bytes = inner.bytes;
    out.most_bytes = inner.most_bytes;
    out.answers = inner.answers;
    out.answer_bytes = inner.answer_bytes;
    out.taken = inner.taken;
    out.taken_tokens = inner.taken_tokens;
    out.evicted = inner.evicted;
    return c::write_sized(out, stats, "stats");
  });
}

void lfm_pool_clear(const lfm_pool* pool) {
  if (pool != nullptr) pool->pool.clear();
}

lfm_code lfm_pool_save(const lfm_pool* pool, const char* folder, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{pool, "pool"}, {folder, "folder"}}));
    return pool->pool.save(folder);
  });
}

lfm_code lfm_pool_load(const lfm_pool* pool, const char* folder, size_t* states, size_t* left_out, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{pool, "pool"}, {folder, "folder"}, {states, "states"}}));
    LFM_ASSIGN(const lfm::SessionPool::Loaded loaded, pool->pool.load(folder));
    *states = loaded.states;
    if (left_out != nullptr) *left_out = loaded.left_out.size();
    return {};
  });
}
