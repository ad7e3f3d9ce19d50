#include <string>
#include <utility>

#include "base/try.h"
#include "c/convert.h"
#include "c/sized.h"

namespace c = lfm::c;

namespace lfm::c {
namespace {

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

lfm_open_phase phase_to_c(OpenPhase phase) {
  switch (phase) {
    case OpenPhase::kPacking:
      return LFM_OPEN_PACKING;
    case OpenPhase::kReading:
      return LFM_OPEN_READING;
    case OpenPhase::kChecking:
      return LFM_OPEN_CHECKING;
  }
  return LFM_OPEN_PACKING;
}

}  // namespace
}  // namespace lfm::c

lfm_code lfm_engine_open(const char* path, const lfm_engine_options* options, lfm_engine** engine, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{path, "path"}, {engine, "engine"}}));
    LFM_ASSIGN(const lfm_engine_options given, c::read_sized(options, "options"));
    lfm::EngineOptions inner;
    inner.threads = given.threads;
    inner.batch_threads = given.batch_threads;
    LFM_ASSIGN(inner.dense, c::dense_of(given.dense));
    LFM_ASSIGN(const lfm_load load, c::known(given.load, "load"));
    inner.load = c::load_of(load);
    if (given.chunk_tokens != 0) inner.chunk_tokens = given.chunk_tokens;
    if (given.pack_cache != nullptr) inner.pack_cache = given.pack_cache;
    if (given.pack_cache_min_bytes != 0) inner.pack_cache_min_bytes = given.pack_cache_min_bytes;
    if (given.pack_cache_max_bytes != 0) inner.pack_cache_max_bytes = given.pack_cache_max_bytes;
    if (given.progress != nullptr) {
      inner.progress = [&given](const lfm::OpenProgress& now) {
        return given.progress(c::phase_to_c(now.phase), now.done, now.all, given.progress_user);
      };
    }
    inner.cancel = c::token_of(given.cancel);
    if (given.draft != nullptr) inner.draft = given.draft;
    if (given.weights != nullptr) {
      LFM_ASSIGN(inner.weights, c::weight_type_of(*given.weights, "weights"));
    }
    LFM_ASSIGN(lfm::Engine opened, lfm::Engine::open(path, inner));
    lfm_tokenizer tokenizer{opened.tokenizer()};
    *engine = new lfm_engine{std::move(opened), std::move(tokenizer)};
    return {};
  });
}

void lfm_engine_close(lfm_engine* engine) {
  delete engine;
}

lfm_code lfm_engine_info(const lfm_engine* engine, lfm_model_info* info, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{engine, "engine"}}));
    return c::write_sized(c::to_c(engine->engine.info()), info, "info");
  });
}

const char* lfm_engine_note(const lfm_engine* engine, size_t i) {
  if (engine == nullptr || i >= engine->engine.info().notes.size()) return nullptr;
  return engine->engine.info().notes[i].c_str();
}

const lfm_tokenizer* lfm_engine_tokenizer(const lfm_engine* engine) {
  return engine != nullptr ? &engine->tokenizer : nullptr;
}
