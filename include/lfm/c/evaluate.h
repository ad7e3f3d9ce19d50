/* How well a model predicts a text, and how far one file of a model is from another (lfm/evaluate.h says how). */
#ifndef LFM_C_EVALUATE_H
#define LFM_C_EVALUATE_H

#include "lfm/c/session.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lfm_estimate {
  double value;
  double error; /* of the mean: one standard deviation */
} lfm_estimate;

/* Values at ranks of their order, interpolated. */
typedef struct lfm_quantiles {
  double minimum, p001, p01, p05, p10, p25, median, p75, p90, p95, p99, p999, maximum;
} lfm_quantiles;

/* Against a base: a better file of the same model, whose distributions were kept. */
typedef struct lfm_divergence {
  lfm_estimate base_perplexity;
  double correlation;     /* of the logarithms of both perplexities */
  lfm_estimate log_ratio; /* of the perplexities */
  lfm_estimate ratio;
  lfm_estimate difference;
  lfm_estimate kld; /* nats */
  lfm_quantiles klds;
  lfm_estimate probability_change; /* of the text's token, 0..1 */
  lfm_quantiles probability_changes;
  lfm_estimate probability_change_rms;
  lfm_estimate same_top; /* part of the positions where both expect the same token most */
} lfm_divergence;

typedef struct lfm_evaluation {
  size_t size;
  size_t windows; /* done so far */
  size_t all_windows;
  size_t scored; /* tokens */
  lfm_estimate perplexity;
  bool compared; /* there is a base, and with it */
  lfm_divergence divergence;
} lfm_evaluation;

/* After each window, without quantiles; returns whether to go on. */
typedef bool (*lfm_evaluate_callback)(const lfm_evaluation* evaluation, void* user);

typedef struct lfm_evaluate_options {
  size_t size;
  size_t window_tokens; /* 0: 512 */
  size_t max_windows;   /* 0: as many as the text has */
  const char* base_out; /* file to write with the distributions of all positions, of llama-perplexity's kind; or NULL */
  const char* base;     /* such a file to compare with, which gives the text too; or NULL */
  lfm_evaluate_callback progress;
  void* progress_user;
  size_t base_likeliest; /* of base_out: 0, or so many tokens of each position, in a small kind of our own */
  lfm_cache_type cache_keys; /* how the context is kept while a window is read */
  lfm_cache_type cache_values;
} lfm_evaluate_options;

/* `text` has no bytes where there is a base. options: NULL for the defaults. */
LFM_API lfm_code lfm_evaluate(const lfm_engine* engine, const char* text, size_t bytes,
                              const lfm_evaluate_options* options, lfm_evaluation* evaluation, lfm_error* error);

/* How an answer is compared with the one that is expected (lfm::ExamMatch). */
typedef enum lfm_exam_match { LFM_EXAM_EXACT = 0, LFM_EXAM_CONTAINS, LFM_EXAM_JSON } lfm_exam_match;

typedef struct lfm_exam_question {
  const char* prompt; /* all of it, special tokens included */
  const char* expected;
  lfm_exam_match match;
  size_t max_tokens; /* 0: 256 */
} lfm_exam_question;

/* After each question: how many were asked and are right so far, and its answer; returns whether to go on. */
typedef bool (*lfm_exam_callback)(size_t asked, size_t right, const char* answer, size_t bytes, bool is_right,
                                  void* user);

/* answered: may be NULL; right: how many are, and may be NULL. */
LFM_API lfm_code lfm_hold_exam(const lfm_engine* engine, const lfm_exam_question* questions, size_t count,
                               lfm_exam_callback answered, void* user, size_t* right, lfm_error* error);

#ifdef __cplusplus
}
#endif

#endif
