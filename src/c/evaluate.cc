#include "base/try.h"
#include "c/convert.h"
#include "c/message.h"
#include "c/sized.h"

namespace c = lfm::c;

namespace lfm::c {
namespace {

lfm_estimate to_c(const Estimate& estimate) {
  return {estimate.value, estimate.error};
}

lfm_quantiles to_c(const Quantiles& q) {
  return {q.minimum, q.p001, q.p01, q.p05, q.p10, q.p25, q.median, q.p75, q.p90, q.p95, q.p99, q.p999, q.maximum};
}

lfm_divergence to_c(const Divergence& divergence) {
  return {.base_perplexity = to_c(divergence.base_perplexity),
          .correlation = divergence.correlation,
          .log_ratio = to_c(divergence.log_ratio),
          .ratio = to_c(divergence.ratio),
          .difference = to_c(divergence.difference),
          .kld = to_c(divergence.kld),
          .klds = to_c(divergence.klds),
          .probability_change = to_c(divergence.probability_change),
          .probability_changes = to_c(divergence.probability_changes),
          .probability_change_rms = to_c(divergence.probability_change_rms),
          .same_top = to_c(divergence.same_top)};
}

lfm_evaluation evaluation_of(const Evaluation& evaluation) {
  lfm_evaluation out{};
  out.size = sizeof out;
  out.windows = evaluation.windows;
  out.all_windows = evaluation.all_windows;
  out.scored = evaluation.scored;
  out.perplexity = to_c(evaluation.perplexity);
  out.compared = evaluation.divergence.has_value();
  if (evaluation.divergence) out.divergence = to_c(*evaluation.divergence);
  return out;
}

ExamMatch match_of(lfm_exam_match match) {
  switch (match) {
    case LFM_EXAM_EXACT:
      return ExamMatch::kExact;
    case LFM_EXAM_CONTAINS:
      return ExamMatch::kContains;
    case LFM_EXAM_JSON:
      return ExamMatch::kJson;
  }
  return ExamMatch::kExact;
}

}  // namespace
}  // namespace lfm::c

lfm_code lfm_evaluate(const lfm_engine* engine, const char* text, size_t bytes, const lfm_evaluate_options* options,
                      lfm_evaluation* evaluation, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{engine, "engine"}, {evaluation, "evaluation"}}));
    LFM_TRY(c::check_size(*evaluation, "evaluation"));
    LFM_ASSIGN(const auto given_text, c::array(text, bytes, "text"));
    LFM_ASSIGN(const lfm_evaluate_options given, c::read_sized(options, "options"));
    lfm::EvaluateOptions inner;
    if (given.window_tokens != 0) inner.window_tokens = given.window_tokens;
    inner.max_windows = given.max_windows;
    inner.base_out = c::text(given.base_out);
    inner.base = c::text(given.base);
    inner.base_likeliest = given.base_likeliest;
    LFM_ASSIGN(inner.cache_keys, c::cache_type_of(given.cache_keys, "cache_keys"));
    LFM_ASSIGN(inner.cache_values, c::cache_type_of(given.cache_values, "cache_values"));
    if (given.progress != nullptr) {
      inner.progress = [&given](const lfm::Evaluation& so_far) {
        const lfm_evaluation told = c::evaluation_of(so_far);
        return given.progress(&told, given.progress_user);
      };
    }
    LFM_ASSIGN(const lfm::Evaluation found,
               lfm::evaluate_text(engine->engine, {given_text.data(), given_text.size()}, inner));
    return c::write_sized(c::evaluation_of(found), evaluation, "evaluation");
  });
}

lfm_code lfm_hold_exam(const lfm_engine* engine, const lfm_exam_question* questions, size_t count,
                       lfm_exam_callback answered, void* user, size_t* right, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{engine, "engine"}}));
    LFM_ASSIGN(const auto given, c::array(questions, count, "questions"));
    std::vector<lfm::ExamQuestion> inner;
    for (const lfm_exam_question& question : given) {
      LFM_ASSIGN(const lfm_exam_match match, c::known(question.match, "match", inner.size()));
      LFM_TRY(c::given({{question.prompt, "prompt"}, {question.expected, "expected"}}));
      inner.push_back({question.prompt, question.expected, c::match_of(match),
                       question.max_tokens != 0 ? question.max_tokens : lfm::ExamQuestion{}.max_tokens});
    }
    const auto told = [&](const lfm::ExamResult& so_far, std::string_view answer, bool is_right) {
      return answered == nullptr ||
             answered(so_far.all.asked, so_far.all.right, answer.data(), answer.size(), is_right, user);
    };
    LFM_ASSIGN(const lfm::ExamResult found, lfm::hold_exam(engine->engine, inner, told));
    if (right != nullptr) *right = found.all.right;
    return {};
  });
}
