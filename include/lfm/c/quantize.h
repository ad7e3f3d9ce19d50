/* Models in other types: from Hugging Face's folders or GGUF files to GGUF files (lfm/quantize.h says what is done). */
#ifndef LFM_C_QUANTIZE_H
#define LFM_C_QUANTIZE_H

#include "lfm/c/common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How codes are chosen. */
typedef enum lfm_quantize_method {
  LFM_QUANTIZE_TWO_STREAMS = 0,
  LFM_QUANTIZE_ONE_STREAM,
  LFM_QUANTIZE_NO_DATA
} lfm_quantize_method;

typedef enum lfm_quantize_phase {
  LFM_QUANTIZE_SAMPLING = 0,
  LFM_QUANTIZE_CALIBRATED,
  LFM_QUANTIZE_PLAIN,
  LFM_QUANTIZE_PREPARING,
  LFM_QUANTIZE_MEASURING
} lfm_quantize_phase;

/* Which matrices get more bits than the type has. */
typedef enum lfm_mix { LFM_MIX_NONE = 0, LFM_MIX_AUTO, LFM_MIX_BITS } lfm_mix;

/* A tensor that a mix looked at, as lfm::MixedTensor has it; strings are valid during the call. */
typedef struct lfm_mixed_tensor {
  size_t size;
  const char* name;
  const char* type;
  uint64_t more_bytes;
  double divergence;
  double gain;
} lfm_mixed_tensor;
typedef void (*lfm_mix_callback)(const lfm_mixed_tensor* tensor, void* user);

/* How much of a phase is done, 0..1. False stops it; a calibration goes on from there when it is called again. */
typedef bool (*lfm_quantize_callback)(lfm_quantize_phase phase, double part, void* user);

typedef struct lfm_quantize_options {
  size_t size;
  lfm_weight_type type;
  lfm_quantize_method method;
  unsigned threads;        /* 0: as lfm_engine_options has it */
  bool overwrite;          /* a file that is there already */
  const char* calibration; /* text; NULL: the network writes it itself */
  size_t calibration_bytes;
  size_t calibration_tokens; /* at most; 0: 32768 */
  const char* imatrix;       /* files of llama.cpp's kind: to go by, and to write; may be NULL */
  const char* imatrix_out;
  lfm_quantize_callback progress;
  void* progress_user;
  lfm_mix mix;
  double mix_bits;        /* with LFM_MIX_BITS */
  lfm_mix_callback mixed; /* called at the end, from the tensor that causes most; may be NULL */
  void* mixed_user;
} lfm_quantize_options;

typedef struct lfm_quantize_info {
  size_t size;
  char source_name[128]; /* the model's; may be empty */
  uint64_t file_bytes;
  uint64_t parameters;
  uint64_t weight_bytes; /* of all tensors */
  double mix_divergence; /* of a mix: what all tensors cause together, in nats */
} lfm_quantize_info;

/* options: NULL for the defaults; info: may be NULL. */
LFM_API lfm_code lfm_quantize(const char* model, const char* out, const lfm_quantize_options* options,
                              lfm_quantize_info* info, lfm_error* error);

#ifdef __cplusplus
}
#endif

#endif
