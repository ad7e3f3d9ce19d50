// How well a model predicts a text, and how far one file of a model is from another: perplexity and Kullback-Leibler
// divergence exactly as llama.cpp's llama-perplexity measures them, in figures that can be set beside its own.
//
// The text is cut into windows without overlap; the model's first token is put over the first one of each. What is
// scored is the second half of each window, every token given all before it in the window.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lfm/engine.h"
#include "lfm/export.h"
#include "lfm/result.h"

namespace lfm {

struct Estimate {
  double value = 0;
  double error = 0;  // of the mean: one standard deviation
};

// Values at ranks of their order, interpolated.
struct Quantiles {
  double minimum = 0, p001 = 0, p01 = 0, p05 = 0, p10 = 0, p25 = 0, median = 0;
  double p75 = 0, p90 = 0, p95 = 0, p99 = 0, p999 = 0, maximum = 0;
};

// Against the base: a better file of the same model, whose distributions were kept.
struct Divergence {
  Estimate base_perplexity;
  double correlation = 0;  // of the logarithms of both perplexities
  Estimate log_ratio;      // of the perplexities
  Estimate ratio;
  Estimate difference;
  Estimate kld;  // nats
  Quantiles klds;
  Estimate probability_change;  // of the text's token, 0..1
  Quantiles probability_changes;
  Estimate probability_change_rms;
  Estimate same_top;  // part of the positions where both expect the same token most
};

struct Evaluation {
  std::size_t windows = 0;  // done so far
  std::size_t all_windows = 0;
  std::size_t scored = 0;  // tokens
  Estimate perplexity;
  std::optional<Divergence> divergence;
};

struct EvaluateOptions {
  std::size_t window_tokens = 512;
  std::size_t max_windows = 0;  // 0: as many as the text has

  // A file with the distributions of all scored positions: `base_out` is written, in the place of another such file
  // too; `base` is compared with, and gives the text too.
  //   base_likeliest 0   llama-perplexity's kind: 2 bytes for each token of the vocabulary and position
  //   otherwise          our own kind, some hundred times smaller: that many tokens of each position, and the rest
  //                      together, which divergence comes out a little too small from
  std::string base_out = {};
  std::string base = {};
  std::size_t base_likeliest = 0;

  // How the context is kept while a window is read: what rounding it does can be measured so.
  CacheType cache_keys = CacheType::kF16;
  CacheType cache_values = CacheType::kF16;

  // Called on this thread after each window, without quantiles; returns whether to go on. May be empty.
  std::function<bool(const Evaluation&)> progress = nullptr;
};

// `text` is empty where there is a base.
//   kArgument   the text has less than two windows, or an option is out of range; the base is of another vocabulary;
//               something else than a file of this kind is where base_out is to be
//   kFormat     the base isn't a file of this kind;   kIo, kNoMemory, kNumeric, kCancelled
LFM_API Result<Evaluation> evaluate_text(const Engine& engine, std::string_view text, const EvaluateOptions& options);

// How an answer is compared with the one that is expected, spaces around both left out.
//   kExact     the same
//   kContains  the expected one is somewhere in it
//   kJson      the same but for spaces outside of strings
enum class ExamMatch : std::uint8_t { kExact, kContains, kJson };

struct ExamQuestion {
  std::string prompt;  // all of it, special tokens and the one that begins a text included
  std::string expected;
  ExamMatch match = ExamMatch::kExact;
  std::size_t max_tokens = 256;  // an answer that doesn't end by itself is wrong
  std::string kind = {};         // what it is about
};

struct ExamScore {
  std::string kind;
  std::size_t asked = 0;
  std::size_t right = 0;
};

struct ExamResult {
  ExamScore all;
  std::size_t too_long = 0;      // of them: the prompt is more than the context has room for, which counts as wrong
  std::vector<ExamScore> kinds;  // as they came
};

// Puts the questions, each by itself, and takes the likeliest token always. `progress`, which may be empty, is called
// on this thread after each with its answer; returns whether to go on.
//   kArgument  a prompt of no tokens (index: of the question), or as Engine::new_session;   kNoMemory, kNumeric,
//   kCancelled
LFM_API Result<ExamResult> hold_exam(
    const Engine& engine, std::span<const ExamQuestion> questions,
    const std::function<bool(const ExamResult&, std::string_view answer, bool right)>& progress,
    const SessionOptions& session = {});

}  // namespace lfm
