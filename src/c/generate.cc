#include "base/try.h"
#include "c/convert.h"
#include "c/sized.h"

namespace c = lfm::c;

lfm_code lfm_engine_sampling(const lfm_engine* engine, lfm_sampling* sampling, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{engine, "engine"}}));
    return c::write_sized(c::to_c(engine->engine.recommended_sampling()), sampling, "sampling");
  });
}

lfm_code lfm_finish_describe(const lfm_finish* finish, char* text, size_t capacity, size_t* bytes, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{finish, "finish"}, {bytes, "bytes"}}));
    if (capacity > 0) LFM_TRY(c::given({{text, "text"}}));
    LFM_ASSIGN(const lfm_finish ours, c::read_sized(finish, "finish"));
    LFM_ASSIGN(const lfm::Finish inner, c::finish_of(ours));
    return c::give<char>(inner.describe(), text, capacity, bytes);
  });
}

lfm_code lfm_session_generate(lfm_session* session, const lfm_generate_options* options, lfm_piece_callback callback,
                              void* user, lfm_finish* finish, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{session, "session"}}));
    if (finish != nullptr) LFM_TRY(c::check_size(*finish, "finish"));
    LFM_ASSIGN(const lfm::GenerateOptions inner, c::options_of(options, session->engine));
    LFM_ASSIGN(const lfm::Finish end, session->session.generate(inner, c::pieces_of(callback, user)));
    return finish != nullptr ? c::write_sized(c::to_c(end), finish, "finish") : lfm::Status();
  });
}

lfm_code lfm_cancel_new(lfm_cancel** cancel, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{cancel, "cancel"}}));
    *cancel = new lfm_cancel;
    return {};
  });
}

void lfm_cancel_request(lfm_cancel* cancel) {
  if (cancel != nullptr) cancel->source.request_stop();
}

void lfm_cancel_free(lfm_cancel* cancel) {
  delete cancel;
}
