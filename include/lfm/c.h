/* Runs LFM2 language models on a CPU. The same library as lfm/lfm.h, which is for C++ and whose headers say more; this
 * one needs C99 or C++ and nothing of the others.
 *
 *   lfm_engine* engine;
 *   lfm_session* session;
 *   lfm_error error;
 *   if (lfm_engine_open("LFM2-8B-A1B-Q4_0.gguf", NULL, &engine, &error) != LFM_OK) puts(error.message);
 *   if (lfm_session_new(engine, NULL, &session, &error) != LFM_OK) puts(error.message);
 *
 * Results: what can fail returns a code and, where `error` isn't NULL, fills it in when the code isn't LFM_OK. Values
 *   go to the pointers that come last before it, and only with LFM_OK unless said otherwise. Nothing aborts, prints or
 *   throws.
 * Pointers: a NULL where something belongs is LFM_ARGUMENT with its name in `field`; functions that return no code do
 *   nothing then, or return none of what they are asked for. Handles may be NULL in the functions that free them.
 *   Arrays are pointer and count; a pointer of zero elements may be NULL. Texts are UTF-8 with their length in bytes
 *   where that is a parameter, and otherwise end with a zero.
 * Structs that begin with `size` may grow at their end. Whoever makes one sets it, and the library reads and writes no
 *   more than that:
 *     lfm_session_options options = {.size = sizeof options};
 *   All else zero is the default of options. LFM_ARGUMENT where size isn't set, LFM_UNSUPPORTED where something is
 * asked for in a part that this version of the library doesn't have. Other structs stay as they are. Lifetime: an
 * engine may be closed while sessions and chats of it live; they keep what they need. Threads: an engine and a chat may
 * be used by any number of threads; a session by one at a time, lfm_session_cancel() excepted. After fork(2) what needs
 * an engine's threads is LFM_STATE in the child.
 */
#ifndef LFM_C_H
#define LFM_C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef LFM_API
#define LFM_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- versions */

/* Changes when a function or struct that was there before changes its meaning or goes; what is new doesn't change it.
 * A program may use a library whose lfm_abi_version() is the one that it was compiled with. */
#define LFM_ABI_VERSION 1

LFM_API int lfm_abi_version(void);
LFM_API const char* lfm_version(void); /* "0.1.0" */

/* ---- errors */

typedef enum lfm_code {
  LFM_OK = 0,
  LFM_FORMAT,      /* a file's bytes contradict its format */
  LFM_UNSUPPORTED, /* well formed, but not something this library runs */
  LFM_LIMIT,       /* a stated limit (context length, file size, ...) would be exceeded */
  LFM_IO,          /* the operating system refused or failed a read, write or map */
  LFM_NO_MEMORY,   /* an allocation failed */
  LFM_ARGUMENT,    /* the caller passed something that can't be right */
  LFM_STATE,       /* the call isn't allowed in this state */
  LFM_NUMERIC,     /* NaN or infinity where a number was needed */
  LFM_CANCELLED    /* the caller asked to stop */
} lfm_code;

#define LFM_NONE UINT64_MAX

typedef struct lfm_error {
  lfm_code code;
  uint64_t index;    /* element of the field, where one is to blame; else LFM_NONE */
  uint64_t offset;   /* byte in the file, where one is to blame; else LFM_NONE */
  char field[128];   /* what it is about: a metadata key, a tensor, an option; may be empty */
  char message[512]; /* one sentence with field, index and offset, for a person */
} lfm_error;

LFM_API const char* lfm_code_name(lfm_code code); /* "format"; "ok" */

/* ---- what calls have in common */

typedef int32_t lfm_token;

/* How far something is, in units of its own. Called on the thread that waits for it; returns whether to go on, and
 * otherwise it ends with LFM_CANCELLED. Callbacks must not jump out, nor use what calls them but to cancel it. */
typedef bool (*lfm_progress_callback)(uint64_t done, uint64_t all, void* user);

/* Ends the calls that were given it, and no others: a request stays, so that each message has one of its own. From any
 * thread, but not from a signal handler, as lfm_session_cancel() may be. May be freed before the call ends. */
typedef struct lfm_cancel lfm_cancel;

LFM_API lfm_code lfm_cancel_new(lfm_cancel** cancel, lfm_error* error);
LFM_API void lfm_cancel_request(lfm_cancel* cancel);
LFM_API void lfm_cancel_free(lfm_cancel* cancel);

/* ---- models */

typedef struct lfm_engine lfm_engine;
typedef struct lfm_session lfm_session;

/* Who multiplies with the dense 4-bit matrices. */
typedef enum lfm_dense {
  LFM_DENSE_AUTO,    /* native where the CPU has AVX2 or NEON, XNNPACK elsewhere */
  LFM_DENSE_XNNPACK, /* XNNPACK where it runs here */
  LFM_DENSE_NATIVE   /* the library's own kernels */
} lfm_dense;

/* How the weights of a packed file come into memory. */
typedef enum lfm_load {
  LFM_LOAD_AUTO, /* mapped where no change of the file can reach the process, else copied */
  LFM_LOAD_MAP,  /* mapped wherever it can be */
  LFM_LOAD_COPY  /* read into memory of its own and checked in full */
} lfm_load;

typedef struct lfm_engine_options {
  size_t size;
  unsigned threads; /* 0: one for each physical core that this process may use */
  lfm_dense dense;
  lfm_load load;
  size_t chunk_tokens;           /* tokens of a prompt that run together, 1 to 4096; 0: 512 */
  const char* pack_cache;        /* folder for packed weights; NULL: none are kept */
  uint64_t pack_cache_min_bytes; /* smaller files are packed at every start; 0: 256 MiB */
  uint64_t pack_cache_max_bytes; /* of all; those unused for longest go before another is written; 0: 64 GiB */
} lfm_engine_options;

/* options: NULL for the defaults. */
LFM_API lfm_code lfm_engine_open(const char* path, const lfm_engine_options* options, lfm_engine** engine,
                                 lfm_error* error);
LFM_API void lfm_engine_close(lfm_engine* engine);

typedef struct lfm_model_info {
  size_t size;
  const char* architecture; /* these texts are valid as long as the engine is open */
  const char* name;
  const char* isa;
  const char* dense_backend;
  uint64_t file_bytes;
  uint64_t parameters;
  uint64_t active_parameters;      /* that one token uses */
  uint64_t weight_bytes;           /* in memory */
  uint64_t weight_bytes_per_token; /* that decoding a token reads */
  uint64_t cache_bytes_per_token;  /* of context */
  uint64_t state_bytes;            /* of a session whatever its length */
  size_t layers;
  size_t hidden;         /* channels */
  size_t vocabulary;     /* tokens */
  size_t context_tokens; /* that the model was trained for */
  unsigned threads;
} lfm_model_info;

LFM_API lfm_code lfm_engine_info(const lfm_engine* engine, lfm_model_info* info, lfm_error* error);

/* What isn't as asked for, and why: note i, or NULL where there are no more. Valid as long as the engine is open. */
LFM_API const char* lfm_engine_note(const lfm_engine* engine, size_t i);

/* ---- text and tokens */

/* Puts at most `capacity` tokens into `tokens` and their number into `count`. LFM_LIMIT where there are more: then
 * `count` tells how many, and `tokens` has none of them.
 *   bos             put the model's first token in front, where the model wants one
 *   special_tokens  text such as "<|im_end|>" becomes that token; otherwise it stays plain text */
LFM_API lfm_code lfm_encode(const lfm_engine* engine, const char* text, size_t bytes, bool bos, bool special_tokens,
                            lfm_token* tokens, size_t capacity, size_t* count, lfm_error* error);

/* The exact bytes of tokens, without a zero behind them; `bytes` and LFM_LIMIT as in lfm_encode(). */
LFM_API lfm_code lfm_decode(const lfm_engine* engine, const lfm_token* tokens, size_t count, char* text,
                            size_t capacity, size_t* bytes, lfm_error* error);

/* Whether a generation is over when the model says this token. */
LFM_API bool lfm_ends_generation(const lfm_engine* engine, lfm_token token);

/* ---- conversations */

typedef struct lfm_session_options {
  size_t size;
  size_t context_tokens; /* room; 0: what the model was trained for, at most 32768 */
  size_t snapshot_bytes; /* for states of earlier positions, which lfm_session_sync() goes back to; 0: 64 MiB */
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
  const char* problem;     /* LFM_MALFORMED_CALL: one sentence; else "" */
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
  uint64_t seed; /* that was drawn with */
} lfm_finish;

/* options: NULL for the defaults; callback: may be NULL; finish: may be NULL. */
LFM_API lfm_code lfm_session_generate(lfm_session* session, const lfm_generate_options* options,
                                      lfm_piece_callback callback, void* user, lfm_finish* finish, lfm_error* error);

/* ---- chats: messages to tokens in the form that a model was trained on, and its answers back to messages */

typedef struct lfm_chat lfm_chat;
typedef struct lfm_answer lfm_answer;

typedef enum lfm_role { LFM_SYSTEM, LFM_USER, LFM_ASSISTANT, LFM_TOOL } lfm_role;

typedef struct lfm_tool_call {
  const char* name;
  const char* arguments; /* a JSON object */
} lfm_tool_call;

/* All texts may be NULL, which is as good as empty. In an array of them all have the size of the first. */
typedef struct lfm_message {
  size_t size;
  lfm_role role;
  const char* content;
  const char* reasoning;      /* LFM_ASSISTANT: what it thought */
  const lfm_tool_call* calls; /* LFM_ASSISTANT */
  size_t call_count;
  const lfm_token* tokens; /* LFM_ASSISTANT: those that it was said with, so that they need not be evaluated again */
  size_t token_count;
} lfm_message;

typedef enum lfm_chat_form { LFM_FORM_FROM_MODEL, LFM_FORM_CHATML, LFM_FORM_LFM2, LFM_FORM_LFM25 } lfm_chat_form;

typedef struct lfm_chat_options {
  size_t size;
  lfm_chat_form form;
  const char* tools;      /* a JSON array with an object for each tool; NULL: none */
  const char* date;       /* "2026-11-22"; NULL: today */
  bool preserve_thinking; /* write the thinking of earlier answers too, where the form leaves it out */
} lfm_chat_options;

/* options: NULL for the model's own form without tools. LFM_ARGUMENT where `tools` or `date` aren't what they should
 * be, LFM_UNSUPPORTED where the vocabulary lacks the form's tokens. */
LFM_API lfm_code lfm_chat_new(const lfm_engine* engine, const lfm_chat_options* options, lfm_chat** chat,
                              lfm_error* error);
LFM_API void lfm_chat_free(lfm_chat* chat);
LFM_API lfm_chat_form lfm_chat_get_form(const lfm_chat* chat); /* LFM_FORM_FROM_MODEL only of NULL */

/* What isn't as expected, an unknown template, say: note i, or NULL where there are no more. Valid as long as the chat
 * is. */
LFM_API const char* lfm_chat_note(const lfm_chat* chat, size_t i);

/* The conversation as tokens; with generation_prompt it ends where an answer begins. `tokens`, `count` and LFM_LIMIT as
 * in lfm_encode(); LFM_ARGUMENT where a call's arguments aren't a JSON object (index: the message). */
LFM_API lfm_code lfm_chat_render(const lfm_chat* chat, const lfm_message* messages, size_t message_count,
                                 bool generation_prompt, lfm_token* tokens, size_t capacity, size_t* count,
                                 lfm_error* error);

/* Makes the session, which must be of the chat's engine, the conversation and has the model answer it; what the session
 * holds of it already isn't evaluated again. Cancelled, it is an answer that says so (LFM_STOPPED). options: NULL for
 * the defaults; callback: may be NULL. */
LFM_API lfm_code lfm_chat_answer(const lfm_chat* chat, lfm_session* session, const lfm_message* messages,
                                 size_t message_count, const lfm_generate_options* options, lfm_piece_callback callback,
                                 void* user, lfm_answer** answer, lfm_error* error);
LFM_API void lfm_answer_free(lfm_answer* answer);

/* Valid until the answer is freed. Texts end before the first zero byte, should a model say one. */
LFM_API lfm_code lfm_answer_message(const lfm_answer* answer, lfm_message* message, lfm_error* error);
LFM_API lfm_code lfm_answer_finish(const lfm_answer* answer, lfm_finish* finish, lfm_error* error);
LFM_API lfm_sync_info lfm_answer_prompt(const lfm_answer* answer);    /* what was reused, and read */
LFM_API const char* lfm_answer_description(const lfm_answer* answer); /* how it ended, for a person */

/* ---- diagnostics: how fast a model is, and what this machine can do */

/* Waits for the file that is being written to the pack cache, and tells how that went. */
LFM_API lfm_code lfm_engine_finish_pack_cache(const lfm_engine* engine, lfm_error* error);

/* Waits until weights are where they stay; what runs afterwards is faster. */
LFM_API lfm_code lfm_engine_settle(const lfm_engine* engine, lfm_error* error);

typedef struct lfm_phase {
  char name[32];
  double seconds;
} lfm_phase;

/* The time that forward passes of all sessions have spent in each phase; `phases`, `count` and LFM_LIMIT as in
 * lfm_encode(). */
LFM_API lfm_code lfm_engine_phases(const lfm_engine* engine, lfm_phase* phases, size_t capacity, size_t* count,
                                   lfm_error* error);

typedef struct lfm_limits {
  size_t size;
  double read_bytes_per_second;      /* all threads reading the model's weights from end to end */
  double int8_operations_per_second; /* all threads multiplying and adding int8; each counts as two */
} lfm_limits;

/* Measures it now: for about half a second and six readings of all weights. */
LFM_API lfm_code lfm_engine_measure_limits(const lfm_engine* engine, lfm_limits* limits, lfm_error* error);

#ifdef __cplusplus
}
#endif

#endif
