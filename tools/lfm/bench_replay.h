// lfm bench --replay: how fast a text comes that one has already, with and without drafts.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench_report.h"

namespace lfm::cli {

// What the model reads, and what it is made to say then.
struct ReplayText {
  std::string name;
  std::vector<TokenId> prompt;
  std::vector<TokenId> answer;
};

// What a file holds: a line "=== answer ===" ends the prompt; without one all is said behind the model's first token.
// kIo, kFormat; kArgument: nothing is said.
Result<ReplayText> read_replay(const Engine& engine, const std::string& path);

// The model says the text, each repetition with all these drafts in turn: the same passes as when it says it of itself,
// since drafts are held against what is said. A result for each of the drafts.
//   accept  nothing, or how often a token that a draft network guesses is made to come true
Result<std::vector<ReplayResult>> run_replay(const Engine& engine, const CacheTypes& cache, const ReplayText& text,
                                             const std::vector<Draft>& drafts, std::optional<double> accept,
                                             std::size_t repetitions);

}  // namespace lfm::cli
