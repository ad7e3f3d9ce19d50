// Options, callbacks and results of C as those of C++, and back.
#pragma once

#include "c/handles.h"

namespace lfm::c {

lfm_model_info to_c(const ModelInfo& info);  // points into it

// kArgument  not one of the enum
Result<DenseBackend> dense_of(const lfm_dense& written);
Result<CacheType> cache_type_of(const lfm_cache_type& written, const char* field);
Result<WeightType> weight_type_of(const lfm_weight_type& written, const char* field);

// What a callback returned.
Status said(const lfm_code& callback, const char* field);

// None is what is recommended for the engine's model.
Result<SamplingOptions> sampling_of(const lfm_sampling* sampling, const Engine& engine);
lfm_sampling to_c(const SamplingOptions& sampling);  // without bias

// None is 256 tokens, sampled as recommended. What it points to has to stay as long as the options are used.
Result<GenerateOptions> options_of(const lfm_generate_options* options, const Engine& engine);

lfm_finish to_c(const Finish& finish);
Result<Finish> finish_of(const lfm_finish& finish);  // kArgument: of no reason that there is

// Empty for a null pointer.
ProgressCallback progress_of(lfm_progress_callback callback, void* user);
std::function<bool(const Piece&)> pieces_of(lfm_piece_callback callback, void* user);

// One that nobody requests for a null pointer.
std::stop_token token_of(const lfm_cancel* cancel);

}  // namespace lfm::c
