/* What all of the C interface has in common: versions, errors, and calls that take their time. */
#ifndef LFM_C_COMMON_H
#define LFM_C_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifndef LFM_API
#define LFM_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Changes when a function or struct that was there before changes its meaning or goes; what is new doesn't change it.
 * A program may use a library whose lfm_abi_version() is the one that it was compiled with. */
#define LFM_ABI_VERSION 2

LFM_API int lfm_abi_version(void);
LFM_API const char* lfm_version(void); /* "0.1.0" */

/* ---- errors */

/* How a call ended. A number that is none of an enum's values is LFM_ARGUMENT, wherever one is passed. */
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
  uint64_t have;     /* LFM_LIMIT, where both are numbers: how many there are or would be, */
  uint64_t limit;    /* and how many there may be; else LFM_NONE */
  char field[128];   /* what it is about: a metadata key, a tensor, an option; may be empty */
  char message[512]; /* one sentence with field, index and offset, for a person */
} lfm_error;

LFM_API const char* lfm_code_name(lfm_code code); /* "format"; "ok" */

/* ---- what calls have in common */

typedef int32_t lfm_token;

/* What weights become. */
typedef enum lfm_weight_type {
  LFM_WEIGHT_Q4_0 = 0,
  LFM_WEIGHT_IQ4_NL,
  LFM_WEIGHT_Q6_K,
  LFM_WEIGHT_Q8_0,
  LFM_WEIGHT_F16,
  LFM_WEIGHT_BF16,
  LFM_WEIGHT_F32,
  LFM_WEIGHT_Q4_K,
  LFM_WEIGHT_Q5_K
} lfm_weight_type;

/* How far something is, in units of its own. Called on the thread that waits for it; returns whether to go on, and
 * otherwise it ends with LFM_CANCELLED. Callbacks must not jump out, nor use what calls them but to cancel it. */
typedef bool (*lfm_progress_callback)(uint64_t done, uint64_t all, void* user);

/* Ends the calls that were given it, and no others: a request stays, so that each message has one of its own. From any
 * thread, but not from a signal handler, as lfm_session_cancel() may be. May be freed before the call ends. */
typedef struct lfm_cancel lfm_cancel;

LFM_API lfm_code lfm_cancel_new(lfm_cancel** cancel, lfm_error* error);
LFM_API void lfm_cancel_request(lfm_cancel* cancel);
LFM_API void lfm_cancel_free(lfm_cancel* cancel);

#ifdef __cplusplus
}
#endif

#endif
