// lfm bench: how fast a model runs here, beside what the machine can do. Options and rows are llama-bench's, where both
// have them.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <memory>

#include "base/try.h"
#include "bench_parallel.h"
#include "bench_plot.h"
#include "bench_replay.h"
#include "bench_report.h"
#include "bench_tokens.h"
#include "command.h"
#include "interrupt.h"
#include "io.h"
#include "main_type.h"
#include "model_options.h"
#include "sampling_flags.h"
#include "talk/replace_file.h"

namespace lfm::cli {
namespace {

struct Options {
  ModelOptions model;
  std::vector<std::size_t> prompts = {512};
  std::vector<std::size_t> generated = {128};
  std::vector<std::size_t> both;  // pairs: a prompt and tokens to generate after it
  std::vector<std::size_t> depths = {0};
  CacheTypes cache;
  std::vector<unsigned> threads = {0};
  std::vector<std::size_t> parallel;
  std::vector<std::string> replay;
  std::optional<Draft> draft;
  std::optional<double> draft_accept;
  std::size_t repetitions = 5;
  std::string format = "md";
  bool profile = false;
  bool no_warmup = false;
  double sustained_minutes = 0;
  std::string plot;
};

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string now_text() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::tm utc;
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
  return text;
}

void progress(const std::string& text) {
  if (isatty(STDERR_FILENO)) print_err("\r\x1b[K%s", text.c_str());
}

class Runner {
 public:
  Runner(const Engine& engine, const Options& options) : engine_(engine), options_(options) {}

  Result<BenchResult> run(const BenchTest& test) {
    BenchResult result;
    result.test = test;
    result.time = now_text();
    LFM_ASSIGN(Session session, engine_.new_session(options_.cache.session(test.depth + test.tokens())));
    const std::size_t vocabulary = engine_.info().vocabulary;
    const std::vector<TokenId> before = random_tokens(test.depth, vocabulary, random_);

    if (!options_.no_warmup) {
      progress(test.name() + ": warm-up");
      const std::size_t few = std::min<std::size_t>(test.tokens(), test.prompt > 0 ? test.prompt : 4);
      for (const TokenId token : random_tokens(test.prompt > 0 ? 0 : few, vocabulary, random_)) {
        LFM_TRY(session.append({&token, 1}));
      }
      if (test.prompt > 0) LFM_TRY(session.append(random_tokens(few, vocabulary, random_)));
    }
    std::vector<PhaseTime> phases_before;
    std::vector<double> first_token;
    for (std::size_t repetition = 0; repetition < options_.repetitions; ++repetition) {
      progress(test.name() + ": " + std::to_string(repetition + 1) + " of " + std::to_string(options_.repetitions));
      LFM_TRY(session.sync(before));
      if (repetition == 0) phases_before = Diagnostics(engine_).phase_times();
      LFM_TRY(add_limits(result));
      const std::vector<TokenId> prompt = random_tokens(test.prompt, vocabulary, random_);
      const std::vector<TokenId> generated = random_tokens(test.generated, vocabulary, random_);
      const Clock::time_point start = Clock::now();
      LFM_TRY(session.append(prompt));
      if (test.prompt > 0) first_token.push_back(seconds_since(start));
      for (const TokenId token : generated) {
        const Clock::time_point token_start = Clock::now();
        LFM_TRY(session.append({&token, 1}));
        result.token_milliseconds.push_back(seconds_since(token_start) * 1e3);
      }
      result.seconds.push_back(seconds_since(start));
    }
    result.phases = Diagnostics(engine_).phase_times();
    LFM_TRY(add_limits(result));
    for (std::size_t i = 0; i < result.phases.size(); ++i) result.phases[i].seconds -= phases_before[i].seconds;
    result.first_token_seconds = median(first_token);
    result.peak_bytes = peak_memory_bytes();
    progress("");
    return result;
  }

  // Decodes for minutes on end and tells every ten seconds, or a little sooner, so that all rows are as long: laptops
  // and phones get slower as they get hot.
  Result<std::vector<SustainedResult>> run_sustained(double minutes, BenchReport& report) {
    std::vector<SustainedResult> results;
    LFM_ASSIGN(Session session, engine_.new_session(options_.cache.session(1024)));
    const auto rows = static_cast<std::size_t>(std::ceil(minutes * 6 - 1e-9));
    double first_rate = 0;
    const Clock::time_point start = Clock::now();
    for (std::size_t row = 1; row <= rows; ++row) {
      const double end = minutes * 60 * static_cast<double>(row) / static_cast<double>(rows);
      const Clock::time_point interval = Clock::now();
      std::size_t tokens = 0;
      for (; tokens == 0 || seconds_since(start) < end; ++tokens) {
        if (session.tokens().size() == session.context_tokens()) LFM_TRY(session.sync({}));
        const std::vector<TokenId> token = random_tokens(1, engine_.info().vocabulary, random_);
        LFM_TRY(session.append(token));
      }
      const double rate = static_cast<double>(tokens) / seconds_since(interval);
      if (first_rate == 0) first_rate = rate;
      results.push_back({now_text(), seconds_since(start), rate, 100 * (rate / first_rate)});
      if (!report.row(results.back())) return results;
    }
    return results;
  }

 private:
  Status add_limits(BenchResult& result) const {
    LFM_ASSIGN(const MachineLimits limits, Diagnostics(engine_).measure_limits());
    result.limits.push_back(limits);
    return {};
  }

  const Engine& engine_;
  const Options& options_;
  std::uint64_t random_ = 1;
};

BenchFormat format_of(const std::string& name) {
  if (name == "csv") return BenchFormat::kCsv;
  if (name == "json") return BenchFormat::kJson;
  return name == "jsonl" ? BenchFormat::kJsonl : BenchFormat::kMarkdown;
}

std::vector<BenchTest> tests_of(const Options& options) {
  std::vector<BenchTest> tests;
  for (const std::size_t depth : options.depths) {
    for (const std::size_t prompt : options.prompts) {
      if (prompt > 0) tests.push_back({prompt, 0, depth});
    }
    for (const std::size_t generated : options.generated) {
      if (generated > 0) tests.push_back({0, generated, depth});
    }
    for (std::size_t i = 0; i + 1 < options.both.size(); i += 2) {
      if (options.both[i] + options.both[i + 1] > 0) tests.push_back({options.both[i], options.both[i + 1], depth});
    }
  }
  return tests;
}

// The options that a test is made of, as they may be typed: "-p 512 -d 4096".
std::string options_of(const BenchTest& test) {
  std::string text;
  const auto add = [&text](const char* name, std::size_t number) {
    if (number > 0) text += (text.empty() ? "" : " ") + std::string(name) + std::to_string(number);
  };
  if (test.mixed()) {
    add(("--pg " + std::to_string(test.prompt) + ",").c_str(), test.generated);
  } else {
    add("-p ", test.prompt);
    add("-n ", test.generated);
  }
  add("-d ", test.depth);
  return text;
}
std::string options_of(const ParallelTest& test) {
  const BenchTest each[] = {{test.prompt, 0, 0}, {0, test.generated, test.depth}};
  const std::string first = options_of(each[0]), second = options_of(each[1]);
  return first + (first.empty() || second.empty() ? "" : " ") + second;
}

// Whether the model has room for each, before the first of them is run.
template <typename Test>
Status check_room(const Engine& engine, const CacheTypes& cache, const std::vector<Test>& tests) {
  for (const Test& test : tests) {
    if (auto session = engine.new_session(cache.session(test.depth + test.tokens())); !session.ok())
      return Error{session.error().code, options_of(test) + ": " + session.error().describe()};
  }
  return {};
}

Status run_tests(const Engine& engine, const Options& options, BenchReport& report) {
  const std::vector<BenchTest> tests = tests_of(options);
  LFM_TRY(check_room(engine, options.cache, tests));
  Runner runner(engine, options);
  for (const BenchTest& test : tests) {
    auto result = runner.run(test);
    if (!result.ok()) return Error{result.error().code, test.name() + ": " + result.error().describe()};
    if (!report.row(*result)) return {};  // flush_out() tells
  }
  return {};
}

// Of each depth, prompt and number of tokens, with each number of sessions.
std::vector<ParallelTest> parallel_tests_of(const Options& options) {
  std::vector<ParallelTest> tests;
  for (const std::size_t depth : options.depths) {
    for (const std::size_t prompt : options.prompts) {
      for (const std::size_t generated : options.generated) {
        if (prompt + generated == 0) continue;
        for (const std::size_t sessions : options.parallel) tests.push_back({sessions, prompt, generated, depth});
      }
    }
  }
  return tests;
}

Status run_all_parallel(const Engine& engine, const Options& options, BenchReport& report) {
  const std::vector<ParallelTest> tests = parallel_tests_of(options);
  LFM_TRY(check_room(engine, options.cache, tests));
  std::uint64_t random = 1;
  for (const ParallelTest& test : tests) {
    progress(test.name());
    if (!options.no_warmup) {
      const ParallelTest few{test.sessions, std::min<std::size_t>(test.prompt, 8),
                             std::min<std::size_t>(test.generated, 2), 0};
      LFM_TRY(run_parallel(engine, options.cache, few, 1, random));
    }
    LFM_ASSIGN(const ParallelResult result, run_parallel(engine, options.cache, test, options.repetitions, random));
    progress("");
    if (!report.row(result)) return {};  // flush_out() tells
  }
  return {};
}

// Of each text, with and without drafts in turn unless one of both is wanted.
Status run_all_replay(const Engine& engine, const Options& options, BenchReport& report) {
  std::vector<Draft> drafts = {Draft::kOff, Draft::kLookup};
  if (!engine.info().draft.empty()) drafts.push_back(Draft::kModel);
  if (options.draft) drafts = {*options.draft};
  std::vector<ReplayText> texts;  // all are read before the first is said
  for (const std::string& path : options.replay) {
    LFM_ASSIGN(ReplayText text, read_replay(engine, path));
    texts.push_back(std::move(text));
  }
  for (const ReplayText& text : texts) {
    progress(text.name);
    if (!options.no_warmup) {
      ReplayText few = text;
      few.answer.resize(std::min<std::size_t>(few.answer.size(), 4));
      LFM_TRY(run_replay(engine, options.cache, few, {Draft::kOff}, std::nullopt, 1));
    }
    LFM_ASSIGN(const std::vector<ReplayResult> results,
               run_replay(engine, options.cache, text, drafts, options.draft_accept, options.repetitions));
    progress("");
    for (const ReplayResult& result : results) {
      if (!report.row(result)) return {};  // flush_out() tells
    }
  }
  return {};
}

// With a plot below the table, and in a file where one is wanted.
Status run_sustained(const Engine& engine, const Options& options, const BenchContext& context, BenchReport& report) {
  if (!options.plot.empty()) LFM_TRY(can_replace_file(options.plot));
  LFM_ASSIGN(const auto results, Runner(engine, options).run_sustained(options.sustained_minutes, report));
  if (format_of(options.format) == BenchFormat::kMarkdown) write_err(text_plot(results));
  if (options.plot.empty()) return {};
  const std::string title = (context.model.name.empty() ? context.model.architecture : context.model.name) + " " +
                            context.type + ", " + std::to_string(context.model.threads) + " threads, " +
                            context.model.isa;
  return replace_file(options.plot, svg_plot(results, title), 0644);
}

BenchTable table_of(const Options& options) {
  if (options.sustained_minutes > 0) return BenchTable::kSustained;
  if (!options.replay.empty()) return BenchTable::kReplay;
  return options.parallel.empty() ? BenchTable::kTests : BenchTable::kParallel;
}

Status run_all(Options options) {
  BenchContext context;
  context.type = main_type(options.model.path);
  context.profile = options.profile;
  context.cache = options.cache;
  BenchReport report(format_of(options.format), context, table_of(options));
  for (const unsigned threads : options.threads) {
    options.model.threads = threads;
    const Clock::time_point start = Clock::now();
    LFM_ASSIGN(const Engine engine, open_engine(options.model));
    context.load_seconds = seconds_since(start);
    finish_pack_cache(engine);  // so that writing it isn't measured
    LFM_TRY(Diagnostics(engine).settle());
    context.model = engine.info();
    if (options.sustained_minutes > 0) {
      LFM_TRY(run_sustained(engine, options, context, report));
    } else if (!options.replay.empty()) {
      LFM_TRY(run_all_replay(engine, options, report));
    } else if (!options.parallel.empty()) {
      LFM_TRY(run_all_parallel(engine, options, report));
    } else {
      LFM_TRY(run_tests(engine, options, report));
    }
  }
  report.end();
  return {};
}

int run_bench(const Options& options) {
  end_on_interrupt("interrupted; the same command begins anew");
  const Status status = run_all(options);
  const bool written = flush_out();
  if (!status.ok()) return fail(status.error());
  return written ? kOk : fail_to_write();
}

}  // namespace

void add_bench(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command& command = line.add("bench", "Measure how fast a model runs, beside what the machine can do");
  options->model.add_to(command);
  command.numbers("-t,--threads", options->threads, kThreads, "threads, a comma list (default: as for run)");
  command.number("--threads-batch", options->model.batch_threads, kThreads,
                 "threads for prompts (-tb; default: as for run)");
  command.numbers("-p,--n-prompt", options->prompts, {0}, "prompt lengths, a comma list; 0 is none").shows("512");
  command.numbers("-n,--n-gen", options->generated, {0}, "numbers of tokens to generate, a comma list; 0 is none")
      .shows("128");
  command.numbers("--pg", options->both, {0}, "prompt and tokens generated after it, as one test: pairs, a comma list");
  command.numbers("-d,--n-depth", options->depths, {0}, "tokens before each test, a comma list").shows("0");
  options->cache.add_to(command);
  const Option parallel =
      command.numbers("-P,--parallel,--np,--n-parallel", options->parallel, {1, 256},
                      "sessions side by side, a comma list: each reads a prompt, and generates then, as all others do "
                      "(-np)");
  const Option replay = command.texts("--replay", options->replay,
                                      "instead, have the model say the text in this file, with and without drafts; a "
                                      "line \"=== answer ===\" ends what it reads before; may be given several times");
  add_draft_option(command, options->draft, "with these drafts only").needs(replay);
  const Option network = add_draft_model_option(command, options->model).needs(replay);
  check_draft(command, options->model, options->draft);
  command
      .number("--draft-accept", options->draft_accept, {0, 1},
              "make each token that -md's network guesses come true with this probability: what its guesses cost is "
              "measured, and what they are worth is given")
      .needs(network);
  command.number("-r,--repetitions", options->repetitions, {1, 1000}, "repetitions of each test").shows("5");
  command.choice("-o,--output", options->format, {"md", "csv", "json", "jsonl"}, "how results are printed");
  command.flag("--no-warmup", options->no_warmup, "don't run each test once before it counts");
  const Option sustained = command.number("--sustained", options->sustained_minutes, {1e-3, 1e6},
                                          "decode for so many minutes, a line every ten seconds, and a plot");
  command.flag("--profile", options->profile, "tell where the time goes, by phase of the forward pass")
      .excludes(parallel)
      .excludes(replay)
      .excludes(sustained);
  command.text("--plot", options->plot, "write the plot as a picture in SVG to this file")
      .type("FILE.svg")
      .needs(sustained);
  command.needs([options] { return options->both.size() % 2 == 0 ? nullptr : "--pg: the second of a pair"; });
  command.needs([options]() -> const char* {
    if (table_of(*options) == BenchTable::kSustained || table_of(*options) == BenchTable::kReplay) return nullptr;
    const bool any = options->parallel.empty() ? !tests_of(*options).empty() : !parallel_tests_of(*options).empty();
    return any ? nullptr : "a number of tokens (-p, -n or --pg)";
  });
  command.runs([options] { return with_model(options->model, [&] { return run_bench(*options); }); });
}

}  // namespace lfm::cli
