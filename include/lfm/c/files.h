/* Model files: what is in them, and packed ones. */
#ifndef LFM_C_FILES_H
#define LFM_C_FILES_H

#include "lfm/c/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what a file holds, without loading its weights */

typedef struct lfm_description lfm_description;

/* Checks the file as lfm_engine_open() does, tensor data excepted. */
LFM_API lfm_code lfm_inspect(const char* path, lfm_description** description, lfm_error* error);
LFM_API void lfm_description_free(lfm_description* description);

/* Texts and shapes are valid until the description is freed. */
LFM_API lfm_code lfm_description_info(const lfm_description* description, lfm_model_info* info, lfm_error* error);
LFM_API uint32_t lfm_description_gguf_version(const lfm_description* description);
LFM_API size_t lfm_description_tensors(const lfm_description* description); /* how many */

typedef struct lfm_tensor {
  size_t size;
  const char* name;
  const char* type;      /* "Q4_0" */
  const uint64_t* shape; /* rows (outputs) first */
  size_t rank;
  uint64_t bytes;
  uint64_t offset; /* from the start of the file */
} lfm_tensor;

/* LFM_ARGUMENT where there is no tensor i. */
LFM_API lfm_code lfm_description_tensor(const lfm_description* description, size_t i, lfm_tensor* tensor,
                                        lfm_error* error);

/* ---- packed files: a GGUF file's weights as they are used, written once and mapped at every start */

typedef struct lfm_pack_options {
  size_t size;
  unsigned threads; /* 0: as lfm_engine_options has it */
  lfm_dense dense;  /* that the file is for */
  bool overwrite;   /* a file that is there already */
  const lfm_cancel* cancel;
  lfm_progress_callback progress; /* bytes packed and written, or checked */
  void* progress_user;
} lfm_pack_options;

typedef struct lfm_pack_info {
  size_t size;
  char source_name[128]; /* the model's; may be empty */
  uint64_t file_bytes;
  uint64_t weight_bytes;
  bool xnnpack; /* dense matrices are for XNNPACK, not for the library's own kernels */
} lfm_pack_info;

/* Packs a GGUF file. `out` appears complete or not at all, and read-only. options: NULL for the defaults; info: may be
 * NULL. */
LFM_API lfm_code lfm_pack(const char* model, const char* out, const lfm_pack_options* options, lfm_pack_info* info,
                          lfm_error* error);

/* Reads a packed file completely and compares it with its checksums; of the options, those that there is use for.
 * LFM_FORMAT with the offset where it is damaged; LFM_UNSUPPORTED where it is whole, but packed for another version or
 * machine. */
LFM_API lfm_code lfm_verify_pack(const char* path, const lfm_pack_options* options, lfm_pack_info* info,
                                 lfm_error* error);

/* ---- the pack cache (lfm_engine_options) */

typedef struct lfm_cached_pack {
  size_t size;
  const char* path;
  const char* source; /* real path of the model that it was packed from; empty where an older version wrote it */
  bool orphaned;      /* that is gone, and the file goes at the next chance */
  uint64_t bytes;
  uint64_t last_used; /* nanoseconds since 1970, as far as the system notes that */
} lfm_cached_pack;

/* Valid during the callback, which may remove the file; false ends the listing. */
typedef bool (*lfm_cached_pack_callback)(const lfm_cached_pack* pack, void* user);

/* Hands out the packed files that this folder keeps, by name; none where there is no such folder. */
LFM_API lfm_code lfm_list_pack_cache(const char* folder, lfm_cached_pack_callback each, void* user, lfm_error* error);

#ifdef __cplusplus
}
#endif

#endif
