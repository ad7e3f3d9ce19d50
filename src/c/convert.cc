#include "c/convert.h"

#include <string>

#include "base/try.h"
#include "c/sized.h"

namespace lfm::c {
namespace {

lfm_finish_reason to_c(FinishReason reason) noexcept {
  switch (reason) {
    case FinishReason::kEnd:
      return LFM_END;
    case FinishReason::kStop:
      return LFM_STOP;
    case FinishReason::kLength:
      return LFM_LENGTH;
    case FinishReason::kContextFull:
      return LFM_CONTEXT_FULL;
    case FinishReason::kCancelled:
      return LFM_STOPPED;
  }
  return LFM_END;
}

FinishReason reason_of(lfm_finish_reason reason) noexcept {
  switch (reason) {
    case LFM_END:
      return FinishReason::kEnd;
    case LFM_STOP:
      return FinishReason::kStop;
    case LFM_LENGTH:
      return FinishReason::kLength;
    case LFM_CONTEXT_FULL:
      return FinishReason::kContextFull;
    case LFM_STOPPED:
      return FinishReason::kCancelled;
  }
  return FinishReason::kEnd;
}

lfm_piece_kind to_c(PieceKind kind) noexcept {
  switch (kind) {
    case PieceKind::kText:
      return LFM_TEXT;
    case PieceKind::kReasoning:
      return LFM_REASONING;
    case PieceKind::kToolCall:
      return LFM_TOOL_CALL;
    case PieceKind::kMalformedCall:
      return LFM_MALFORMED_CALL;
  }
  return LFM_TEXT;
}

Draft draft_of(lfm_draft draft) noexcept {
  switch (draft) {
    case LFM_DRAFT_OFF:
      return Draft::kOff;
    case LFM_DRAFT_LOOKUP:
      return Draft::kLookup;
    case LFM_DRAFT_MODEL:
      return Draft::kModel;
  }
  return Draft::kOff;
}

MaskCallback mask_of(lfm_mask_callback callback, void* user) {
  if (callback == nullptr) return nullptr;
  return [callback, user](const MaskQuery& query) -> Status {
    lfm_mask_query out{};
    out.size = sizeof out;
    out.tokens = query.tokens.data();
    out.token_count = query.tokens.size();
    out.answer_count = query.answer.size();
    out.thinking = query.thinking;
    out.logits = query.logits.data();
    out.vocabulary = query.logits.size();
    out.allowed = query.allowed.words.data();
    out.allowed_words = query.allowed.words.size();
    return said(callback(&out, user), "mask");
  };
}

}  // namespace

Status said(const lfm_code& callback, const char* field) {
  LFM_ASSIGN(const lfm_code code, known(callback, field));
  if (code == LFM_OK) return {};
  return Error{code_of(code), std::string("the callback says ") + lfm_code_name(code), field};
}

Result<DenseBackend> dense_of(const lfm_dense& written) {
  LFM_ASSIGN(const lfm_dense dense, known(written, "dense"));
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

lfm_model_info to_c(const ModelInfo& info) {
  lfm_model_info out{};
  out.size = sizeof out;
  out.architecture = info.architecture.c_str();
  out.name = info.name.c_str();
  out.isa = info.isa.c_str();
  out.dense_backend = info.dense_backend.c_str();
  out.file_bytes = info.file_bytes;
  out.parameters = info.parameters;
  out.active_parameters = info.active_parameters;
  out.weight_bytes = info.weight_bytes;
  out.weight_bytes_per_token = info.weight_bytes_per_token;
  out.cache_bytes_per_token = info.cache_bytes_per_token;
  out.state_bytes = info.state_bytes;
  out.layers = info.layers;
  out.hidden = info.hidden;
  out.vocabulary = info.vocabulary;
  out.context_tokens = info.context_tokens;
  out.threads = info.threads;
  out.path = info.path.c_str();
  out.packed = info.packed;
  out.attention_layers = info.attention_layers;
  out.experts = info.experts;
  out.experts_used = info.experts_used;
  out.prompt_parameters = info.prompt_parameters;
  out.draft = info.draft.c_str();
  out.draft_weight_bytes = info.draft_weight_bytes;
  out.batch_threads = info.batch_threads;
  return out;
}

Result<SamplingOptions> sampling_of(const lfm_sampling* sampling, const Engine& engine) {
  if (sampling == nullptr) return engine.recommended_sampling();
  LFM_ASSIGN(const lfm_sampling given, read_sized(sampling, "sampling"));
  const auto or_off = [](float value) { return value == 0 ? 1.0f : value; };
  SamplingOptions inner;
  inner.temperature = given.temperature;
  inner.top_k = given.top_k;
  inner.top_p = or_off(given.top_p);
  inner.min_p = given.min_p;
  inner.repetition_penalty = or_off(given.repetition_penalty);
  inner.presence_penalty = given.presence_penalty;
  inner.frequency_penalty = given.frequency_penalty;
  inner.penalty_window = given.penalty_window;
  if (given.seeded) inner.seed = given.seed;
  LFM_ASSIGN(const auto biases, array(given.logit_bias, given.logit_bias_count, "logit_bias"));
  for (const auto& [id, value] : biases) inner.logit_bias.push_back({id, value});
  return inner;
}

lfm_sampling to_c(const SamplingOptions& sampling) {
  lfm_sampling out{};
  out.size = sizeof out;
  out.temperature = sampling.temperature;
  out.top_k = sampling.top_k;
  out.top_p = sampling.top_p;
  out.min_p = sampling.min_p;
  out.repetition_penalty = sampling.repetition_penalty;
  out.presence_penalty = sampling.presence_penalty;
  out.frequency_penalty = sampling.frequency_penalty;
  out.penalty_window = sampling.penalty_window;
  out.seeded = sampling.seed.has_value();
  out.seed = sampling.seed.value_or(0);
  return out;
}

Result<GenerateOptions> options_of(const lfm_generate_options* options, const Engine& engine) {
  LFM_ASSIGN(const lfm_generate_options given, read_sized(options, "options"));
  GenerateOptions inner;
  if (given.max_tokens != 0) inner.max_tokens = given.max_tokens;
  LFM_ASSIGN(inner.sampling, sampling_of(given.sampling, engine));
  LFM_ASSIGN(const auto stops, array(given.stop, given.stop_count, "stop"));
  for (const char* stop : stops) {
    LFM_TRY(c::given({{stop, "stop"}}));
    inner.stop.emplace_back(stop);
  }
  inner.ignore_end = given.ignore_end;
  inner.structured = given.structured;
  if (given.limit_thinking) inner.thinking_budget = given.thinking_budget;
  if (given.logprobs) inner.logprobs = given.top_logprobs;
  inner.mask = mask_of(given.mask, given.mask_user);
  inner.cancel = token_of(given.cancel);
  if (given.constraint != nullptr) inner.constraint = given.constraint->constraint;
  inner.continue_last = given.continue_last;
  inner.prompt_progress = progress_of(given.prompt_progress, given.progress_user);
  LFM_ASSIGN(const lfm_draft draft, known(given.draft, "draft"));
  inner.draft = draft_of(draft);
  return inner;
}

Result<CacheType> cache_type_of(const lfm_cache_type& written, const char* field) {
  LFM_ASSIGN(const lfm_cache_type type, known(written, field));
  switch (type) {
    case LFM_CACHE_F16:
      return CacheType::kF16;
    case LFM_CACHE_Q8_0:
      return CacheType::kQ8_0;
  }
  return CacheType::kF16;
}

Result<WeightType> weight_type_of(const lfm_weight_type& written, const char* field) {
  LFM_ASSIGN(const lfm_weight_type type, known(written, field));
  switch (type) {
    case LFM_WEIGHT_Q4_0:
      return WeightType::kQ4_0;
    case LFM_WEIGHT_IQ4_NL:
      return WeightType::kIQ4_NL;
    case LFM_WEIGHT_Q6_K:
      return WeightType::kQ6_K;
    case LFM_WEIGHT_Q8_0:
      return WeightType::kQ8_0;
    case LFM_WEIGHT_F16:
      return WeightType::kF16;
    case LFM_WEIGHT_BF16:
      return WeightType::kBF16;
    case LFM_WEIGHT_F32:
      return WeightType::kF32;
    case LFM_WEIGHT_Q4_K:
      return WeightType::kQ4_K;
    case LFM_WEIGHT_Q5_K:
      return WeightType::kQ5_K;
  }
  return WeightType::kQ4_0;
}

lfm_finish to_c(const Finish& finish) {
  lfm_finish out{};
  out.size = sizeof out;
  out.reason = to_c(finish.reason);
  out.tokens = finish.tokens;
  out.reasoning_tokens = finish.reasoning_tokens;
  out.text_bytes = finish.text_bytes;
  out.tool_calls = finish.tool_calls;
  out.malformed_calls = finish.malformed_calls;
  out.thinking_open = finish.thinking_open;
  out.thinking_cut = finish.thinking_cut;
  out.seconds = finish.seconds;
  out.seed = finish.seed;
  out.passes = finish.passes;
  out.drafted = finish.drafted;
  out.accepted = finish.accepted;
  return out;
}

Result<Finish> finish_of(const lfm_finish& finish) {
  LFM_ASSIGN(const lfm_finish_reason reason, known(finish.reason, "reason"));
  Finish out;
  out.reason = reason_of(reason);
  out.tokens = finish.tokens;
  out.reasoning_tokens = finish.reasoning_tokens;
  out.text_bytes = finish.text_bytes;
  out.tool_calls = finish.tool_calls;
  out.malformed_calls = finish.malformed_calls;
  out.thinking_open = finish.thinking_open;
  out.thinking_cut = finish.thinking_cut;
  out.seconds = finish.seconds;
  out.seed = finish.seed;
  return out;
}

ProgressCallback progress_of(lfm_progress_callback callback, void* user) {
  if (callback == nullptr) return nullptr;
  return [callback, user](std::uint64_t done, std::uint64_t all) { return callback(done, all, user); };
}

std::function<bool(const Piece&)> pieces_of(lfm_piece_callback callback, void* user) {
  if (callback == nullptr) return nullptr;
  return [callback, user, top = std::vector<lfm_logprob>()](const Piece& piece) mutable {
    const std::string name(piece.name), arguments(piece.arguments), problem(piece.error);
    top.clear();
    for (const auto& [id, logprob] : piece.top_logprobs) top.push_back({id, logprob});
    lfm_piece out{};
    out.size = sizeof out;
    out.kind = to_c(piece.kind);
    out.text = piece.text.data();
    out.bytes = piece.text.size();
    out.name = name.c_str();
    out.arguments = arguments.c_str();
    out.problem = problem.c_str();
    out.tokens = piece.tokens.data();
    out.token_count = piece.tokens.size();
    if (!piece.logprobs.empty()) {
      out.logprobs = piece.logprobs.data();
      out.top = top.data();
      out.top_per_token = top.size() / piece.tokens.size();
    }
    return callback(&out, user);
  };
}

std::stop_token token_of(const lfm_cancel* cancel) {
  return cancel != nullptr ? cancel->source.get_token() : std::stop_token();
}

}  // namespace lfm::c
