/* How fast a model is, and what this machine can do. */
#ifndef LFM_C_DIAGNOSTICS_H
#define LFM_C_DIAGNOSTICS_H

#include "lfm/c/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

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
