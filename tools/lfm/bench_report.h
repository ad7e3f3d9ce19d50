// The results of lfm bench, and the forms that they are printed in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lfm/lfm.h"
#include "lfm/machine.h"
#include "model_options.h"

namespace lfm::cli {

// One test: n_prompt tokens read together, n_gen tokens one by one, or the one and then the other, after n_depth
// tokens.
struct BenchTest {
  std::size_t prompt = 0;
  std::size_t generated = 0;
  std::size_t depth = 0;

  std::string name() const;  // "pp512", "tg128 @ d4096"
  std::size_t tokens() const noexcept { return prompt + generated; }
  bool mixed() const noexcept { return prompt > 0 && generated > 0; }  // bound by neither limit alone
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

// Sessions side by side, each with n_prompt tokens to read and n_gen to generate, after n_depth tokens.
struct ParallelTest {
  std::size_t sessions = 1;
  std::size_t prompt = 0;
  std::size_t generated = 0;
  std::size_t depth = 0;

  std::size_t tokens() const noexcept { return prompt + generated; }  // of each
  std::string name() const;                                           // "4 x pp64+tg32"
};

struct ParallelResult {
  ParallelTest test;
  std::vector<double> prompt_seconds;     // of each repetition, until the last one has read
  std::vector<double> generate_seconds;   // from then on, until the last one has generated
  std::vector<std::vector<double>> gaps;  // milliseconds of each token, of each session and repetition
};

// Some seconds of generating on and on.
struct SustainedResult {
  std::string time;
  double seconds = 0;  // since it began
  double rate = 0;     // tokens/s
  double share = 0;    // per cent of the first ones'
};

// A text that the model was made to say.
struct ReplayResult {
  std::string name;
  std::size_t prompt = 0;
  std::size_t generated = 0;
  Draft draft = Draft::kOff;
  std::vector<double> seconds = {};  // of each repetition, as are
  std::vector<std::size_t> passes = {}, drafted = {}, accepted = {};
  DraftTimes network = {};  // of all repetitions
};

struct BenchContext {
  ModelInfo model;
  std::string type;  // "Q4_0"
  double load_seconds = 0;
  std::size_t chunk_tokens = EngineOptions{}.chunk_tokens;
  bool profile = false;
  CacheTypes cache;
};

enum class BenchTable { kTests, kParallel, kSustained, kReplay };

enum class BenchFormat { kMarkdown, kCsv, kJson, kJsonl };

// Prints results as they come, and what has to be around them: whatever happens, what is printed is of its format.
class BenchReport {
 public:
  BenchReport(BenchFormat format, const BenchContext& context, BenchTable table)
      : format_(format), context_(context), table_(table) {}
  ~BenchReport() {
    if (begun_) end();
  }
  BenchReport(const BenchReport&) = delete;
  BenchReport& operator=(const BenchReport&) = delete;

  bool row(const BenchResult& result);  // false: standard output is gone
  bool row(const ParallelResult& result);
  bool row(const SustainedResult& result);
  bool row(const ReplayResult& result);
  void end();

 private:
  void begin();
  bool end_row();
  void markdown_row(const BenchResult& result);
  void profile(const BenchResult& result) const;
  BenchFormat format_;
  const BenchContext& context_;
  const BenchTable table_;
  bool begun_ = false;
  bool first_ = true;
};

double median(std::vector<double> values);
double percentile(std::vector<double> values, double p);  // p in 0..1

}  // namespace lfm::cli
