/* Models. */
#ifndef LFM_C_ENGINE_H
#define LFM_C_ENGINE_H

#include "lfm/c/tokenizer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lfm_engine lfm_engine;
typedef struct lfm_session lfm_session;

/* Who multiplies with the dense 4-bit matrices. */
typedef enum lfm_dense {
  LFM_DENSE_AUTO,    /* native; of a packed file, as it is */
  LFM_DENSE_XNNPACK, /* XNNPACK where it runs here */
  LFM_DENSE_NATIVE   /* the library's own kernels */
} lfm_dense;

/* How the weights of a packed file come into memory. */
typedef enum lfm_load {
  LFM_LOAD_AUTO, /* mapped where no change of the file can reach the process, else copied */
  LFM_LOAD_MAP,  /* mapped wherever it can be */
  LFM_LOAD_COPY  /* read into memory of its own and checked in full */
} lfm_load;

/* What takes time while a model opens. */
typedef enum lfm_open_phase {
  LFM_OPEN_PACKING, /* reads the weights of a GGUF file and packs them */
  LFM_OPEN_READING, /* reads those of a packed file */
  LFM_OPEN_CHECKING /* compares them with the file's checksums */
} lfm_open_phase;

/* As lfm_progress_callback, of a phase's bytes. */
typedef bool (*lfm_open_callback)(lfm_open_phase phase, uint64_t done, uint64_t all, void* user);

typedef struct lfm_engine_options {
  size_t size;
  unsigned threads; /* 0: one for each physical core that this process may use, of the fastest kind */
  lfm_dense dense;
  lfm_load load;
  size_t chunk_tokens;           /* tokens of a prompt that run together, 1 to 4096; 0: 512 */
  const char* pack_cache;        /* folder for packed weights; NULL: none are kept */
  uint64_t pack_cache_min_bytes; /* smaller files are packed at every start; 0: 256 MiB */
  uint64_t pack_cache_max_bytes; /* of all; those unused for longest go before another is written; 0: 64 GiB */
  lfm_open_callback progress;
  void* progress_user;
  const lfm_cancel* cancel;
  const char* draft;      /* file of a draft network that was made for the model (LFM_DRAFT_MODEL); NULL: none */
  unsigned batch_threads; /* for prompts; 0: as many as threads, or, where that is 0, one for each core of any kind */
  /* What matrices of floats become while they are packed, as lfm::EngineOptions has it; NULL: they stay. */
  const lfm_weight_type* weights;
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
  const char* path;
  bool packed; /* a packed file, not GGUF */
  size_t attention_layers;
  size_t experts;             /* of a layer; 0 for dense models */
  size_t experts_used;        /* for each token */
  uint64_t prompt_parameters; /* that every token of a prompt is multiplied with */
  const char* draft;          /* path of the draft network; "" where there is none */
  uint64_t draft_weight_bytes;
  unsigned batch_threads; /* for prompts */
} lfm_model_info;

LFM_API lfm_code lfm_engine_info(const lfm_engine* engine, lfm_model_info* info, lfm_error* error);

/* What isn't as asked for, and why: note i, or NULL where there are no more. Valid as long as the engine is open. */
LFM_API const char* lfm_engine_note(const lfm_engine* engine, size_t i);

/* How it cuts texts into tokens: valid as long as the engine is open. NULL only of NULL. */
LFM_API const lfm_tokenizer* lfm_engine_tokenizer(const lfm_engine* engine);

#ifdef __cplusplus
}
#endif

#endif
