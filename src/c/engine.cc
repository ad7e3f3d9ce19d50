#include <algorithm>
#include <string>
#include <utility>

#include "c/handles.h"

namespace c = lfm::c;

namespace lfm::c {
namespace {

DenseBackend dense_of(lfm_dense dense) {
  switch (dense) {
    case LFM_DENSE_AUTO:
      return DenseBackend::kAuto;
    case LFM_DENSE_XNNPACK:
      return DenseBackend::kXnnpack;
    case LFM_DENSE_NATIVE:
      return DenseBackend::kNative;
  }
  return DenseBackend::kAuto;
}

}  // namespace
}  // namespace lfm::c

lfm_engine_options lfm_engine_defaults() {
  const lfm::EngineOptions defaults;
  return {defaults.threads, LFM_DENSE_AUTO, defaults.chunk_tokens, nullptr, defaults.pack_cache_min_bytes};
}

lfm_code lfm_engine_open(const char* path, const lfm_engine_options* options, lfm_engine** engine, lfm_error* error) {
  return c::guarded(error, [&] {
    lfm::EngineOptions inner;
    if (options != nullptr) {
      inner.threads = options->threads;
      inner.dense = c::dense_of(options->dense);
      inner.chunk_tokens = options->chunk_tokens;
      inner.pack_cache = options->pack_cache != nullptr ? options->pack_cache : "";
      inner.pack_cache_min_bytes = options->pack_cache_min_bytes;
    }
    auto opened = lfm::Engine::open(path, inner);
    if (!opened.ok()) return c::report(opened.error(), error);
    *engine = new lfm_engine{*std::move(opened)};
    return LFM_OK;
  });
}

void lfm_engine_close(lfm_engine* engine) {
  delete engine;
}

lfm_model_info lfm_engine_info(const lfm_engine* engine) {
  const lfm::ModelInfo& info = engine->engine.info();
  return {.architecture = info.architecture.c_str(),
          .name = info.name.c_str(),
          .isa = info.isa.c_str(),
          .dense_backend = info.dense_backend.c_str(),
          .file_bytes = info.file_bytes,
          .parameters = info.parameters,
          .active_parameters = info.active_parameters,
          .weight_bytes = info.weight_bytes,
          .weight_bytes_per_token = info.weight_bytes_per_token,
          .cache_bytes_per_token = info.cache_bytes_per_token,
          .state_bytes = info.state_bytes,
          .layers = info.layers,
          .hidden = info.hidden,
          .vocabulary = info.vocabulary,
          .context_tokens = info.context_tokens,
          .threads = info.threads};
}

const char* lfm_engine_note(const lfm_engine* engine, size_t i) {
  const std::vector<std::string>& notes = engine->engine.info().notes;
  return i < notes.size() ? notes[i].c_str() : nullptr;
}

lfm_code lfm_encode(const lfm_engine* engine, const char* text, size_t bytes, bool bos, bool special_tokens,
                    lfm_token* tokens, size_t capacity, size_t* count, lfm_error* error) {
  return c::guarded(error, [&] {
    const auto ids = engine->engine.tokenizer().encode({text, bytes}, {.bos = bos, .special_tokens = special_tokens});
    if (!ids.ok()) return c::report(ids.error(), error);
    return c::give<lfm_token>(*ids, tokens, capacity, count, error);
  });
}

lfm_code lfm_decode(const lfm_engine* engine, const lfm_token* tokens, size_t count, char* text, size_t capacity,
                    size_t* bytes, lfm_error* error) {
  return c::guarded(error, [&] {
    const auto decoded = engine->engine.tokenizer().decode(c::span(tokens, count));
    if (!decoded.ok()) return c::report(decoded.error(), error);
    return c::give<char>(*decoded, text, capacity, bytes, error);
  });
}

bool lfm_ends_generation(const lfm_engine* engine, lfm_token token) {
  return engine->engine.tokenizer().ends_generation(token);
}

lfm_sampling lfm_engine_sampling(const lfm_engine* engine) {
  try {
    return c::to_c(engine->engine.recommended_sampling());
  } catch (const std::bad_alloc&) {
    return c::to_c(lfm::SamplingOptions{});
  }
}
