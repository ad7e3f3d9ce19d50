/* Conversations with a model, token by token. */
#ifndef LFM_C_SESSION_H
#define LFM_C_SESSION_H

#include "lfm/c/constraint.h"
#include "lfm/c/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How keys or values are kept, which is what every token reads of the whole context. */
typedef enum lfm_cache_type {
  LFM_CACHE_F16,
  LFM_CACHE_Q8_0 /* 8 bits and a scale for each 32: about half the memory and time, hardly less exact */
} lfm_cache_type;

typedef struct lfm_session_options {
  size_t size;
  size_t context_tokens; /* room; 0: what the model was trained for, at most 32768 */
  size_t snapshot_bytes; /* for states of earlier positions, which lfm_session_sync() goes back to; 0: 64 MiB */
  lfm_cache_type cache_keys;
  lfm_cache_type cache_values;
} lfm_session_options;

/* options: NULL for the defaults. */
LFM_API lfm_code lfm_session_new(const lfm_engine* engine, const lfm_session_options* options, lfm_session** session,
                                 lfm_error* error);
LFM_API void lfm_session_free(lfm_session* session);

typedef struct lfm_sync_options {
  size_t size;
  const size_t* ends; /* ascending: numbers of tokens after which a message ends, whose states are kept */
  size_t end_count;
  const lfm_cancel* cancel;
  lfm_progress_callback progress; /* tokens that the session has, and all */
  void* progress_user;
} lfm_sync_options;

typedef struct lfm_sync_info {
  size_t reused;    /* tokens whose state was there already */
  size_t evaluated; /* tokens that ran through the network */
} lfm_sync_info;

/* Makes the session's tokens exactly these, keeping the longest common beginning that it can. An edit, another answer
 * and going back are this. options: NULL for the defaults; info: may be NULL. */
LFM_API lfm_code lfm_session_sync(lfm_session* session, const lfm_token* tokens, size_t count,
                                  const lfm_sync_options* options, lfm_sync_info* info, lfm_error* error);

/* Adds tokens at the end. */
LFM_API lfm_code lfm_session_append(lfm_session* session, const lfm_token* tokens, size_t count, lfm_error* error);

/* The logits that follow a token, one for each of the vocabulary; valid during the call. */
typedef void (*lfm_logits_callback)(const float* logits, size_t count, void* user);

/* The same, and has `each` see the logits after every one of the tokens, in order. Other sessions of the engine wait
 * meanwhile, and may not be used by it. */
LFM_API lfm_code lfm_session_append_each(lfm_session* session, const lfm_token* tokens, size_t count,
                                         lfm_logits_callback each, void* user, lfm_error* error);

/* Ends what runs in another thread, or else what is called next, unless that is taken back. From any thread and from a
 * signal handler, as long as the session isn't freed meanwhile. */
LFM_API void lfm_session_cancel(lfm_session* session);
LFM_API void lfm_session_clear_cancel(lfm_session* session);

/* Another session with the same tokens and states, independent of this one. */
LFM_API lfm_code lfm_session_fork(const lfm_session* session, lfm_session** fork, lfm_error* error);

/* To a file and back. A session that fails to load stays as it was. */
LFM_API lfm_code lfm_session_save(const lfm_session* session, const char* path, lfm_error* error);
LFM_API lfm_code lfm_session_load(lfm_session* session, const char* path, lfm_error* error);

/* Valid until the session changes. Logits are those after the last token, one for each of the vocabulary; none (NULL,
 * 0) without tokens. */
LFM_API const lfm_token* lfm_session_tokens(const lfm_session* session, size_t* count);
LFM_API const float* lfm_session_logits(const lfm_session* session, size_t* count);
LFM_API size_t lfm_session_context_tokens(const lfm_session* session); /* room */

typedef struct lfm_session_stats {
  size_t size;
  size_t reused_tokens; /* that lfm_session_sync() didn't have to evaluate */
  size_t prompt_tokens;
  double prompt_seconds;
  size_t generated_tokens;
  double generate_seconds;
  size_t generate_passes; /* as lfm_finish has them */
  size_t drafted_tokens;
  size_t accepted_tokens;
} lfm_session_stats;

LFM_API lfm_code lfm_session_get_stats(const lfm_session* session, lfm_session_stats* stats, lfm_error* error);

/* ---- generation */

typedef struct lfm_logit_bias {
  lfm_token id;
  float value; /* added to the logit; -INFINITY forbids the token */
} lfm_logit_bias;

/* How the next token is chosen. Zeros are: the likeliest token, and nothing else on; what the model's makers recommend
 * comes from lfm_engine_sampling(). */
typedef struct lfm_sampling {
  size_t size;
  float temperature;        /* 0 takes the likeliest token */
  int32_t top_k;            /* 0 is off */
  float top_p;              /* 0 or 1 is off */
  float min_p;              /* 0 is off */
  float repetition_penalty; /* 0 or 1 is off */
  float presence_penalty;   /* 0 is off */
  float frequency_penalty;  /* 0 is off */
  size_t penalty_window;    /* tokens at the end of the context that penalties look at; 0: all */
  bool seeded;              /* with `seed`, which gives the same text each time; otherwise with a random one */
  uint64_t seed;
  const lfm_logit_bias* logit_bias;
  size_t logit_bias_count;
} lfm_sampling;

/* What the model's makers recommend. */
LFM_API lfm_code lfm_engine_sampling(const lfm_engine* engine, lfm_sampling* sampling, lfm_error* error);

/* One token to be chosen. Valid during the call. */
typedef struct lfm_mask_query {
  size_t size;
  const lfm_token* tokens; /* of the session */
  size_t token_count;
  size_t answer_count; /* of them, at the end: the answer so far without its thinking */
  bool thinking;       /* of a structured generation */
  const float* logits; /* as the network gave them */
  size_t vocabulary;   /* logits, and bits that count */
  uint32_t* allowed;   /* that may come: token t is bit t % 32 of word t / 32; all are set */
  size_t allowed_words;
} lfm_mask_query;

/* Takes tokens out of `allowed`. Anything but LFM_OK ends the generation with that code, as does nothing left
 * (LFM_ARGUMENT). */
typedef lfm_code (*lfm_mask_callback)(const lfm_mask_query* query, void* user);

/* Where the next tokens are guessed; the text is the same. */
typedef enum lfm_draft {
  LFM_DRAFT_OFF,
  LFM_DRAFT_LOOKUP, /* where the session's last tokens stood before, what came behind them */
  LFM_DRAFT_MODEL   /* by the engine's draft network, and likewise, whichever promises more */
} lfm_draft;

typedef struct lfm_generate_options {
  size_t size;
  size_t max_tokens;            /* 0: 256 */
  const lfm_sampling* sampling; /* NULL: as recommended */
  const char* const* stop;      /* texts that end the generation; they aren't part of its text */
  size_t stop_count;
  bool ignore_end;     /* go on when the model says that it is done */
  bool structured;     /* tell thinking and tool calls from text; lfm_chat_answer() always does */
  bool limit_thinking; /* to thinking_budget tokens, after which it is ended */
  size_t thinking_budget;
  bool logprobs; /* pieces tell log-probabilities: of each token, and of so many likeliest ones */
  size_t top_logprobs;
  lfm_mask_callback mask; /* asked before each token is chosen */
  void* mask_user;
  const lfm_cancel* cancel;
  lfm_progress_callback prompt_progress; /* of lfm_chat_answer(), while it reads the conversation */
  void* progress_user;
  const lfm_constraint* constraint; /* what the answer has to be; NULL: anything */
  bool continue_last;               /* lfm_chat_answer() goes on with the last message, which is the assistant's */
  lfm_draft draft;                  /* 0: off */
} lfm_generate_options;

typedef enum lfm_piece_kind {
  LFM_TEXT,          /* the answer */
  LFM_REASONING,     /* the thinking before it */
  LFM_TOOL_CALL,     /* one call, complete */
  LFM_MALFORMED_CALL /* what stood where a call belongs; `problem` says why it can't be read */
} lfm_piece_kind;

typedef struct lfm_logprob {
  lfm_token id;
  float logprob; /* natural logarithm of the probability */
} lfm_logprob;

/* A part of a generation as it streams, valid during the callback. */
typedef struct lfm_piece {
  size_t size;
  lfm_piece_kind kind;
  const char* text; /* as the model wrote it, whole code points, no zero behind them */
  size_t bytes;
  const char* name;        /* LFM_TOOL_CALL: the function's name; else "" */
  const char* arguments;   /* LFM_TOOL_CALL: a JSON object; else "" */
  const char* problem;     /* LFM_MALFORMED_CALL: one sentence; LFM_TOOL_CALL: what was repaired; else "" */
  const lfm_token* tokens; /* said since the piece before, tags included */
  size_t token_count;
  const float* logprobs;  /* one for each of them; NULL where they weren't asked for */
  const lfm_logprob* top; /* top_per_token for each of them, the likeliest first */
  size_t top_per_token;
} lfm_piece;

/* Returns whether to go on. */
typedef bool (*lfm_piece_callback)(const lfm_piece* piece, void* user);

typedef enum lfm_finish_reason {
  LFM_END,          /* the model said that it is done */
  LFM_STOP,         /* a stop string */
  LFM_LENGTH,       /* max_tokens */
  LFM_CONTEXT_FULL, /* no room for another token */
  LFM_STOPPED       /* it was cancelled, or a callback returned false */
} lfm_finish_reason;

typedef struct lfm_finish {
  size_t size;
  lfm_finish_reason reason;
  size_t tokens;           /* generated */
  size_t reasoning_tokens; /* of them */
  size_t text_bytes;
  size_t tool_calls;
  size_t malformed_calls;
  bool thinking_open; /* it ended before the thinking did */
  bool thinking_cut;  /* thinking_budget ended the thinking */
  double seconds;
  uint64_t seed;   /* that was drawn with */
  size_t passes;   /* that the tokens took */
  size_t drafted;  /* tokens that were guessed, and read in those passes */
  size_t accepted; /* of them: that were said */
} lfm_finish;

/* For a person: "no answer in 256 tokens, 256 of them thinking: max_tokens is reached before the thinking ended".
 * `text`, `bytes`, NULL and LFM_LIMIT as in lfm_encode(). */
LFM_API lfm_code lfm_finish_describe(const lfm_finish* finish, char* text, size_t capacity, size_t* bytes,
                                     lfm_error* error);

/* options: NULL for the defaults; callback: may be NULL; finish: may be NULL. */
LFM_API lfm_code lfm_session_generate(lfm_session* session, const lfm_generate_options* options,
                                      lfm_piece_callback callback, void* user, lfm_finish* finish, lfm_error* error);

#ifdef __cplusplus
}
#endif

#endif
