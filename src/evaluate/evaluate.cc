#include "lfm/evaluate.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "api/guarded.h"
#include "base/float_mode.h"
#include "base/try.h"
#include "evaluate/base_file.h"
#include "evaluate/likeliest.h"
#include "evaluate/log_probabilities.h"
#include "evaluate/statistics.h"

namespace lfm {
namespace evaluate {
namespace {

Error refused(std::string message, const char* option) {
  return Error{ErrorCode::kArgument, std::move(message), option};
}

// Tokens in whole windows, and a file to compare with where there is one.
struct Text {
  std::size_t window = 0;
  std::vector<TokenId> tokens;
  std::optional<BaseReader> base;
};

Result<Text> read_text(const Engine& engine, std::string_view text, const EvaluateOptions& options) {
  Text read;
  read.window = options.window_tokens;
  if (!options.base.empty()) {
    LFM_ASSIGN(read.base, BaseReader::open(options.base));
    if (read.base->shape().vocabulary != engine.info().vocabulary) return refused("of another vocabulary", "base");
    read.window = read.base->shape().window;
    read.tokens = read.base->tokens();
  } else {
    if (read.window < 4 || read.window > engine.info().context_tokens)
      return refused("must be 4 to the model's context", "window_tokens");
    LFM_ASSIGN(read.tokens, engine.tokenizer().encode(text));
  }
  if (read.window > engine.info().context_tokens) return refused("longer windows than the model's context", "base");
  if (read.base ? read.tokens.empty() : read.tokens.size() < 2 * read.window) {
    const std::size_t size = read.tokens.size();
    return refused("a text of " + std::to_string(size) + (size == 1 ? " token" : " tokens") + "; two windows are " +
                       std::to_string(2 * read.window),
                   "text");
  }
  std::size_t windows = read.tokens.size() / read.window;
  if (options.max_windows != 0) windows = std::min(windows, options.max_windows);
  read.tokens.resize(windows * read.window);
  return read;
}

class Run {
 public:
  Run(const Engine& engine, Session& session, const EvaluateOptions& options, Text text, std::optional<BaseWriter> out,
      std::optional<TokenId> bos)
      : session_(session),
        options_(options),
        text_(std::move(text)),
        out_(std::move(out)),
        bos_(bos),
        likeliest_(text_.base ? text_.base->shape().likeliest : options.base_likeliest),
        words_(BaseShape{text_.window, engine.info().vocabulary, 1, likeliest_}.words()),
        rows_(text_.base || out_ ? words_ * scored_tokens(text_.window) : 0) {}

  Result<Evaluation> all() {
    Evaluation evaluation;
    evaluation.all_windows = text_.tokens.size() / text_.window;
    for (std::size_t i = 0; i < evaluation.all_windows; ++i) {
      LFM_TRY(window(i));
      evaluation.windows = i + 1;
      const bool last = evaluation.windows == evaluation.all_windows;
      statistics_.fill(evaluation, last);
      if (!options_.progress) continue;
      const base::CallersFloatMode mode;
      if (!options_.progress(evaluation)) return Error{ErrorCode::kCancelled, "stopped"};
    }
    if (out_) LFM_TRY(out_->commit());
    return evaluation;
  }

 private:
  Status window(std::size_t index) {
    const std::span<const TokenId> whole = std::span(text_.tokens).subspan(index * text_.window, text_.window);
    std::vector<TokenId> tokens(whole.begin(), whole.end());
    if (bos_) tokens.front() = *bos_;
    if (text_.base) LFM_TRY(text_.base->read(index, rows_));
    const std::size_t half = text_.window / 2;
    LFM_TRY(session_.sync({}));
    std::size_t position = 0;
    bool finite = true;
    const auto each = [&](std::span<const float> logits) {
      finite = score(logits, static_cast<std::size_t>(tokens[half + position + 1]), position) && finite;
      ++position;
    };
    LFM_TRY(session_.append(std::span(tokens).first(half + scored_tokens(text_.window)), each, half));
    if (!finite) return Error{ErrorCode::kNumeric, "logits aren't numbers", "window", index};
    return out_ ? out_->write(index, rows_) : Status();
  }

  bool score(std::span<const float> logits, std::size_t token, std::size_t position) {
    const Normalized normalized = normalize(logits);
    const double log_probability = normalized.log_probability(logits[token]);
    const std::span<std::uint16_t> row =
        rows_.empty() ? std::span<std::uint16_t>() : std::span(rows_).subspan(position * words_, words_);
    if (text_.base) {
      statistics_.add(log_probability, likeliest_ > 0 ? compare_likeliest(logits, normalized, row)
                                                      : compare(logits, normalized, row, token));
    } else {
      statistics_.add(log_probability);
      if (out_ && likeliest_ > 0) {
        encode_likeliest(likeliest(logits, normalized, likeliest_), log_probability, row);
      } else if (out_) {
        encode_row(logits, normalized, row);
      }
    }
    return std::isfinite(log_probability);
  }

  Session& session_;
  const EvaluateOptions& options_;
  Text text_;
  std::optional<BaseWriter> out_;
  std::optional<TokenId> bos_;
  std::size_t likeliest_;  // of a row of the file, or 0
  std::size_t words_;
  std::vector<std::uint16_t> rows_;
  Statistics statistics_;
};

Result<Evaluation> run(const Engine& engine, std::string_view text, const EvaluateOptions& options) {
  if (options.base_likeliest > engine.info().vocabulary) return refused("more than the vocabulary", "base_likeliest");
  if (!options.base.empty() && !options.base_out.empty()) return refused("can't be written from a base", "base_out");
  LFM_ASSIGN(Text read, read_text(engine, text, options));
  LFM_ASSIGN(const std::vector<TokenId> bos, engine.tokenizer().encode(""));
  std::optional<BaseWriter> out;
  if (!options.base_out.empty()) {
    const BaseShape shape{read.window, engine.info().vocabulary, read.tokens.size() / read.window,
                          options.base_likeliest};
    LFM_ASSIGN(BaseWriter writer, BaseWriter::create(options.base_out, shape, read.tokens));
    out.emplace(std::move(writer));
  }
  SessionOptions session_options;
  session_options.context_tokens = read.window;
  session_options.snapshot_bytes = 0;
  session_options.cache_keys = options.cache_keys;
  session_options.cache_values = options.cache_values;
  LFM_ASSIGN(Session session, engine.new_session(session_options));
  return Run(engine, session, options, std::move(read), std::move(out),
             bos.empty() ? std::nullopt : std::optional(bos.front()))
      .all();
}

}  // namespace
}  // namespace evaluate

Result<Evaluation> evaluate_text(const Engine& engine, std::string_view text, const EvaluateOptions& options) {
  return engine::guarded([&] { return evaluate::run(engine, text, options); });
}

}  // namespace lfm
