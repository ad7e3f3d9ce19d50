// Questions with answers that are known.
#include <algorithm>
#include <optional>
#include <utility>

#include "api/guarded.h"
#include "base/float_mode.h"
#include "base/try.h"
#include "lfm/evaluate.h"

namespace lfm {
namespace evaluate {
namespace {

constexpr std::string_view kSpaces = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) + 1 - first);
}

// Without the spaces of JSON between its tokens.
std::string dense_json(std::string_view json) {
  std::string dense;
  bool quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (!quoted && kSpaces.find(json[i]) != std::string_view::npos) continue;
    dense += json[i];
    if (json[i] == '"') quoted = !quoted;
    if (json[i] == '\\' && quoted && i + 1 < json.size()) dense += json[++i];
  }
  return dense;
}

bool is_right(const ExamQuestion& question, std::string_view answer) {
  const std::string_view said = trimmed(answer), expected = trimmed(question.expected);
  switch (question.match) {
    case ExamMatch::kExact:
      return said == expected;
    case ExamMatch::kContains:
      return said.find(expected) != std::string_view::npos;
    case ExamMatch::kJson:
      return dense_json(said) == dense_json(expected);
  }
  return false;
}

struct Answer {
  std::string text;
  bool ended = false;  // by itself
};

// Nothing where the context has no room for the prompt.
Result<std::optional<Answer>> answer_to(const Engine& engine, Session& session, const ExamQuestion& question) {
  LFM_ASSIGN(const std::vector<TokenId> prompt,
             engine.tokenizer().encode(question.prompt, {.bos = false, .special_tokens = true}));
  if (prompt.empty()) return Error{ErrorCode::kArgument, "has no tokens", "prompt"};
  if (prompt.size() > session.context_tokens()) return std::optional<Answer>();
  LFM_TRY(session.sync(prompt));
  GenerateOptions options;
  options.max_tokens = question.max_tokens;
  options.sampling = SamplingOptions{.temperature = 0};
  Answer answer;
  LFM_ASSIGN(const Finish finish, session.generate(options, [&](const Piece& piece) {
    answer.text += piece.text;
    return true;
  }));
  answer.ended = finish.reason == FinishReason::kEnd;
  return std::optional(std::move(answer));
}

void add(ExamScore& score, bool right) {
  ++score.asked;
  if (right) ++score.right;
}

ExamScore& score_of(ExamResult& result, const std::string& kind) {
  const auto at = std::ranges::find(result.kinds, kind, &ExamScore::kind);
  return at != result.kinds.end() ? *at : result.kinds.emplace_back(ExamScore{kind});
}

Result<ExamResult> run(const Engine& engine, std::span<const ExamQuestion> questions,
                       const std::function<bool(const ExamResult&, std::string_view, bool)>& progress,
                       const SessionOptions& options) {
  LFM_ASSIGN(Session session, engine.new_session(options));
  ExamResult result;
  for (std::size_t i = 0; i < questions.size(); ++i) {
    auto found = answer_to(engine, session, questions[i]);
    if (!found.ok()) {
      Error error = std::move(found).error();
      if (error.index == Error::kNone) error.index = i;
      return error;
    }
    if (!*found) ++result.too_long;
    const Answer answer = found->value_or(Answer{});
    const bool right = answer.ended && is_right(questions[i], answer.text);
    add(result.all, right);
    add(score_of(result, questions[i].kind), right);
    if (!progress) continue;
    const base::CallersFloatMode mode;
    if (!progress(result, answer.text, right)) return Error{ErrorCode::kCancelled, "stopped"};
  }
  return result;
}

}  // namespace
}  // namespace evaluate

Result<ExamResult> hold_exam(
    const Engine& engine, std::span<const ExamQuestion> questions,
    const std::function<bool(const ExamResult&, std::string_view answer, bool right)>& progress,
    const SessionOptions& session) {
  return engine::guarded([&] { return evaluate::run(engine, questions, progress, session); });
}

}  // namespace lfm
