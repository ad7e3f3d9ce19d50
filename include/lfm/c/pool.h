/* Conversations of many users with one model: what was read once isn't read again. */
#ifndef LFM_C_POOL_H
#define LFM_C_POOL_H

#include "lfm/c/conversation.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lfm_pool lfm_pool;

typedef struct lfm_pool_options {
  size_t size;
  size_t context_tokens; /* of its sessions, as lfm_session_options has them */
  size_t snapshot_bytes;
  uint64_t bytes;        /* most memory for what is held; 0: an eighth of the machine's, at most 4 GiB */
  uint64_t answer_bytes; /* most memory for remembered answers; 0: 16 MiB */
  lfm_cache_type cache_keys;
  lfm_cache_type cache_values;
} lfm_pool_options;

/* Any number of threads may use it. options: NULL for the defaults. */
LFM_API lfm_code lfm_pool_new(const lfm_engine* engine, const lfm_pool_options* options, lfm_pool** pool,
                              lfm_error* error);
LFM_API void lfm_pool_free(lfm_pool* pool);

/* A session whose tokens are the longest beginning of these that is known, maybe none; lfm_session_sync() it to all of
 * them. It is the caller's, to be freed as any other. */
LFM_API lfm_code lfm_pool_take(const lfm_pool* pool, const lfm_token* tokens, size_t count, lfm_session** session,
                               lfm_error* error);

/* What the session holds is known from now on; the session stays the caller's. */
LFM_API lfm_code lfm_pool_keep(const lfm_pool* pool, const lfm_session* session, lfm_error* error);

/* Its first `count` tokens likewise, up to the nearest state that it has: the end of a system prompt, say. They stay
 * known beside what goes on from them. */
LFM_API lfm_code lfm_pool_keep_beginning(const lfm_pool* pool, const lfm_session* session, size_t count,
                                         lfm_error* error);

/* lfm_chat_answer() with a session of the pool, in which answers of earlier calls that come back as text are known. */
LFM_API lfm_code lfm_pool_answer(const lfm_pool* pool, const lfm_chat* chat, const lfm_message* messages,
                                 size_t message_count, const lfm_generate_options* options, lfm_piece_callback callback,
                                 void* user, lfm_answer** answer, lfm_error* error);

/* For those who render, read and generate by themselves. Remembers an answer, as lfm_chat_answer() gives it, to this
 * conversation; and puts into a conversation what was thought and said in those of its messages that are remembered
 * (lfm/session_pool.h says when). */
LFM_API lfm_code lfm_pool_remember(const lfm_pool* pool, const lfm_chat* chat, const lfm_message* messages,
                                   size_t message_count, const lfm_message* answer, lfm_error* error);
LFM_API lfm_code lfm_pool_recall(const lfm_pool* pool, lfm_conversation* conversation, lfm_error* error);

/* lfm_chat_options.date for a conversation, so that midnight changes no prompt: that of the chat which gave its first
 * answer, or "". As lfm_decode(), without a zero behind it. */
LFM_API lfm_code lfm_pool_date(const lfm_pool* pool, const lfm_message* messages, size_t message_count, char* date,
                               size_t capacity, size_t* bytes, lfm_error* error);

typedef struct lfm_pool_stats {
  size_t size;
  size_t states;
  uint64_t bytes; /* what is shared counts once */
  uint64_t most_bytes;
  size_t answers;
  uint64_t answer_bytes;
  uint64_t taken;        /* sessions, since the pool was made */
  uint64_t taken_tokens; /* that they began with */
  uint64_t evicted;      /* states that went for want of room */
} lfm_pool_stats;

LFM_API lfm_code lfm_pool_get_stats(const lfm_pool* pool, lfm_pool_stats* stats, lfm_error* error);
LFM_API void lfm_pool_clear(const lfm_pool* pool);

/* To the files of a folder and back. left_out: may be NULL; files that can't be used. */
LFM_API lfm_code lfm_pool_save(const lfm_pool* pool, const char* folder, lfm_error* error);
LFM_API lfm_code lfm_pool_load(const lfm_pool* pool, const char* folder, size_t* states, size_t* left_out,
                               lfm_error* error);

#ifdef __cplusplus
}
#endif

#endif
