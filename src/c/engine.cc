#include <string>
#include <utility>

#include "base/try.h"
#include "c/handles.h"
#include "c/sized.h"

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

Load load_of(lfm_load load) {
  switch (load) {
    case LFM_LOAD_AUTO:
      return Load::kAuto;
    case LFM_LOAD_MAP:
      return Load::kMap;
    case LFM_LOAD_COPY:
      return Load::kCopy;
  }
  return Load::kAuto;
}

}  // namespace
}  // namespace lfm::c

lfm_code lfm_engine_open(const char* path, const lfm_engine_options* options, lfm_engine** engine, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{path, "path"}, {engine, "engine"}}));
    LFM_ASSIGN(const lfm_engine_options given, c::read_sized(options, "options"));
    lfm::EngineOptions inner;
    inner.threads = given.threads;
    inner.dense = c::dense_of(given.dense);
    inner.load = c::load_of(given.load);
    if (given.chunk_tokens != 0) inner.chunk_tokens = given.chunk_tokens;
    if (given.pack_cache != nullptr) inner.pack_cache = given.pack_cache;
    if (given.pack_cache_min_bytes != 0) inner.pack_cache_min_bytes = given.pack_cache_min_bytes;
    if (given.pack_cache_max_bytes != 0) inner.pack_cache_max_bytes = given.pack_cache_max_bytes;
    LFM_ASSIGN(lfm::Engine opened, lfm::Engine::open(path, inner));
    *engine = new lfm_engine{std::move(opened)};
    return {};
  });
}

void lfm_engine_close(lfm_engine* engine) {
  delete engine;
}

lfm_code lfm_engine_info(const lfm_engine* engine, lfm_model_info* info, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{engine, "engine"}}));
    const lfm::ModelInfo& inner = engine->engine.info();
    lfm_model_info out{};
    out.architecture = inner.architecture.c_str();
    out.name = inner.name.c_str();
    out.isa = inner.isa.c_str();
    out.dense_backend = inner.dense_backend.c_str();
    out.file_bytes = inner.file_bytes;
    out.parameters = inner.parameters;
    out.active_parameters = inner.active_parameters;
    out.weight_bytes = inner.weight_bytes;
    out.weight_bytes_per_token = inner.weight_bytes_per_token;
    out.cache_bytes_per_token = inner.cache_bytes_per_token;
    out.state_bytes = inner.state_bytes;
    out.layers = inner.layers;
    out.hidden = inner.hidden;
    out.vocabulary = inner.vocabulary;
    out.context_tokens = inner.context_tokens;
    out.threads = inner.threads;
    return c::write_sized(out, info, "info");
  });
}

const char* lfm_engine_note(const lfm_engine* engine, size_t i) {
  if (engine == nullptr || i >= engine->engine.info().notes.size()) return nullptr;
  return engine->engine.info().notes[i].c_str();
}

lfm_code lfm_encode(const lfm_engine* engine, const char* text, size_t bytes, bool bos, bool special_tokens,
                    lfm_token* tokens, size_t capacity, size_t* count, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{engine, "engine"}, {count, "count"}}));
    LFM_ASSIGN(const auto given, c::array(text, bytes, "text"));
    if (capacity > 0) LFM_TRY(c::given({{tokens, "tokens"}}));
    LFM_ASSIGN(const auto ids, engine->engine.tokenizer().encode({given.data(), given.size()},
                                                                 {.bos = bos, .special_tokens = special_tokens}));
    return c::give<lfm_token>(ids, tokens, capacity, count);
  });
}

lfm_code lfm_decode(const lfm_engine* engine, const lfm_token* tokens, size_t count, char* text, size_t capacity,
                    size_t* bytes, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{engine, "engine"}, {bytes, "bytes"}}));
    LFM_ASSIGN(const auto ids, c::array(tokens, count, "tokens"));
    if (capacity > 0) LFM_TRY(c::given({{text, "text"}}));
    LFM_ASSIGN(const std::string decoded, engine->engine.tokenizer().decode(ids));
    return c::give<char>(decoded, text, capacity, bytes);
  });
}

bool lfm_ends_generation(const lfm_engine* engine, lfm_token token) {
  return engine != nullptr && engine->engine.tokenizer().ends_generation(token);
}
