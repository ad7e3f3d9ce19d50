// The results of lfm bench, and the forms that they are printed in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lfm/lfm.h"
#include "lfm/machine.h"

namespace lfm::cli {

// One test: n_prompt tokens read together, or n_gen tokens one by one, after n_depth tokens.
struct BenchTest {
  std::size_t prompt = 0;
  std::size_t generated = 0;
  std::size_t depth = 0;

  std::string name() const;  // "pp512", "tg128 @ d4096"
  std::size_t tokens() const noexcept { return prompt + generated; }
};

struct BenchResult {
  BenchTest test;
  std::string time;                        // when it began, ISO 8601 in UTC
  std::vector<double> seconds;             // of each repetition
  std::vector<double> token_milliseconds;  // of each generated token, all repetitions
  std::vector<MachineLimits> limits;       // before each repetition, and after the last
  double first_token_seconds = 0;          // pp: until the logits of the next token are there; median
  std::uint64_t peak_bytes = 0;            // of the process until then
  std::vector<PhaseTime> phases;           // over the repetitions
};

struct BenchContext {
  ModelInfo model;
  std::string type;  // "Q4_0"
  double load_seconds = 0;
  std::size_t chunk_tokens = EngineOptions{}.chunk_tokens;
  bool profile = false;
};

enum class BenchFormat { kMarkdown, kCsv, kJson, kJsonl };

// Prints as results come: begin(), a row() each, end().
class BenchReport {
 public:
  BenchReport(BenchFormat format, const BenchContext& context) : format_(format), context_(context) {}
  void begin();
  void row(const BenchResult& result);
  void end();

 private:
  void markdown_row(const BenchResult& result);
  BenchFormat format_;
  const BenchContext& context_;
  bool first_ = true;
};

double median(std::vector<double> values);
double percentile(std::vector<double> values, double p);  // p in 0..1

}  // namespace lfm::cli
