#include <algorithm>
#include <string>

#include "c/handles.h"
#include "c/pieces.h"

namespace lfm::c {

SamplingOptions from_c(const lfm_sampling& sampling) {
  SamplingOptions inner;
  inner.temperature = sampling.temperature;
  inner.top_k = sampling.top_k;
  inner.top_p = sampling.top_p;
  inner.min_p = sampling.min_p;
  inner.repetition_penalty = sampling.repetition_penalty;
  inner.seed = sampling.seed;
  return inner;
}

lfm_sampling to_c(const SamplingOptions& sampling) {
  return {sampling.temperature,        sampling.top_k, sampling.top_p, sampling.min_p,
          sampling.repetition_penalty, sampling.seed.value_or(0)};
}

GenerateOptions from_c(const lfm_generate_options& options) {
  GenerateOptions inner;
  inner.max_tokens = options.max_tokens;
  inner.sampling = from_c(options.sampling);
  for (const char* stop : span(options.stop, options.stop_count)) inner.stop.emplace_back(stop);
  inner.ignore_end = options.ignore_end;
  inner.structured = options.structured;
  if (options.thinking_budget >= 0) inner.thinking_budget = static_cast<std::size_t>(options.thinking_budget);
  return inner;
}

GenerateOptions from_c(const lfm_generate_options* options, const Engine& engine) {
  if (options != nullptr) return from_c(*options);
  GenerateOptions inner;
  inner.sampling = engine.recommended_sampling();
  return inner;
}

lfm_finish to_c(const Finish& finish) {
  lfm_finish out{};
  switch (finish.reason) {
    case FinishReason::kEnd:
      out.reason = LFM_END;
      break;
    case FinishReason::kStop:
      out.reason = LFM_STOP;
      break;
    case FinishReason::kLength:
      out.reason = LFM_LENGTH;
      break;
    case FinishReason::kContextFull:
      out.reason = LFM_CONTEXT_FULL;
      break;
    case FinishReason::kCancelled:
      out.reason = LFM_STOPPED;
      break;
  }
  out.tokens = finish.tokens;
  out.reasoning_tokens = finish.reasoning_tokens;
  out.tool_calls = finish.tool_calls;
  out.thinking_cut = finish.thinking_cut;
  out.seconds = finish.seconds;
  return out;
}

std::function<bool(const Piece&)> from_c(lfm_piece_callback callback, void* user) {
  if (callback == nullptr) return nullptr;
  return [callback, user](const Piece& piece) {
    const std::string name(piece.name), arguments(piece.arguments), problem(piece.error);
    lfm_piece out{LFM_TEXT, piece.text.data(), piece.text.size(), name.c_str(), arguments.c_str(), problem.c_str()};
    switch (piece.kind) {
      case PieceKind::kText:
        break;
      case PieceKind::kReasoning:
        out.kind = LFM_REASONING;
        break;
      case PieceKind::kToolCall:
        out.kind = LFM_TOOL_CALL;
        break;
      case PieceKind::kMalformedCall:
        out.kind = LFM_MALFORMED_CALL;
        break;
    }
    return callback(&out, user);
  };
}

}  // namespace lfm::c

namespace c = lfm::c;

lfm_generate_options lfm_generate_defaults(const lfm_engine* engine) {
  const lfm::GenerateOptions defaults;
  return {.max_tokens = defaults.max_tokens,
          .sampling = lfm_engine_sampling(engine),
          .stop = nullptr,
          .stop_count = 0,
          .ignore_end = defaults.ignore_end,
          .structured = defaults.structured,
          .thinking_budget = -1};
}

lfm_code lfm_session_generate(lfm_session* session, const lfm_generate_options* options, lfm_piece_callback callback,
                              void* user, lfm_finish* finish, lfm_error* error) {
  return c::guarded(error, [&] {
    const auto end = session->session.generate(c::from_c(options, session->engine), c::from_c(callback, user));
    if (!end.ok()) return c::report(end.error(), error);
    if (finish != nullptr) *finish = c::to_c(*end);
    return LFM_OK;
  });
}
