/* Text to tokens and back. */
#ifndef LFM_C_TOKENIZER_H
#define LFM_C_TOKENIZER_H

#include "lfm/c/common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A model's tokenizer: lfm_engine_tokenizer(), or a file's, without its weights. By any number of threads. */
typedef struct lfm_tokenizer lfm_tokenizer;

/* Errors as lfm_engine_open(). Only what was opened here is freed. */
LFM_API lfm_code lfm_tokenizer_open(const char* path, lfm_tokenizer** tokenizer, lfm_error* error);
LFM_API void lfm_tokenizer_free(lfm_tokenizer* tokenizer);

/* Puts at most `capacity` tokens into `tokens` and their number into `count`. LFM_LIMIT where there are more: then
 * `count` tells how many, and `tokens` has none of them. With NULL for `tokens` it is LFM_OK, and counts.
 *   bos             put the model's first token in front, where the model wants one
 *   special_tokens  text such as "<|im_end|>" becomes that token; otherwise it stays plain text */
LFM_API lfm_code lfm_encode(const lfm_tokenizer* tokenizer, const char* text, size_t bytes, bool bos,
                            bool special_tokens, lfm_token* tokens, size_t capacity, size_t* count, lfm_error* error);

/* The exact bytes of tokens, without a zero behind them; `bytes` and LFM_LIMIT as in lfm_encode(). */
LFM_API lfm_code lfm_decode(const lfm_tokenizer* tokenizer, const lfm_token* tokens, size_t count, char* text,
                            size_t capacity, size_t* bytes, lfm_error* error);

LFM_API size_t lfm_vocabulary(const lfm_tokenizer* tokenizer); /* how many tokens there are */

/* Whether a generation is over when the model says this token. */
LFM_API bool lfm_ends_generation(const lfm_tokenizer* tokenizer, lfm_token token);

/* The tokens that texts of the model begin and end with, and the special one of a name such as "<|im_end|>"; -1 where
 * there is none. */
LFM_API lfm_token lfm_bos(const lfm_tokenizer* tokenizer);
LFM_API lfm_token lfm_eos(const lfm_tokenizer* tokenizer);
LFM_API lfm_token lfm_find_special(const lfm_tokenizer* tokenizer, const char* name);

#ifdef __cplusplus
}
#endif

#endif
