#include "bench_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include "interrupt.h"
#include "io.h"
#include "progress_line.h"
#include "talk/json_text.h"

namespace lfm::cli {
namespace {

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

double deviation(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  const double m = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - m) * (value - m);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

std::vector<double> rates(const BenchResult& result) {
  std::vector<double> rates;
  for (const double seconds : result.seconds) rates.push_back(static_cast<double>(result.test.tokens()) / seconds);
  return rates;
}

// Weights and cache that decoding one token reads, in the middle of the test.
double bytes_per_token(const BenchResult& result, const BenchContext& context) {
  const auto bits = [](const std::string& type) { return type == to_string(CacheType::kQ8_0) ? 8.5 : 16.0; };
  const double of_f16 = (bits(context.cache.keys) + bits(context.cache.values)) / 32;
  const auto position = static_cast<double>(result.test.depth + result.test.generated / 2);
  return static_cast<double>(context.model.weight_bytes_per_token) +
         static_cast<double>(context.model.cache_bytes_per_token) * of_f16 * position;
}

// Multiplications and additions of one prompt token in the layers' matrices. What runs for the last token alone, such
// as the head, isn't counted.
double operations_per_token(const ModelInfo& model) {
  return 2.0 * static_cast<double>(model.prompt_parameters);
}

double median_limit(const BenchResult& result, double MachineLimits::*limit) {
  std::vector<double> values;
  for (const MachineLimits& limits : result.limits) values.push_back(limits.*limit);
  return median(values);
}

// Per cent of the limit that the test is bound by: memory bandwidth for generation, int8 arithmetic for prompts. The
// median of the repetitions, each held against what the machine could do right before and right after it: machines are
// shared, and what they can do changes by the second.
double share_of_limit(const BenchResult& result, const BenchContext& context) {
  const bool generates = result.test.generated > 0;
  const auto limit = generates ? &MachineLimits::read_bytes_per_second : &MachineLimits::int8_operations_per_second;
  const double work = generates ? bytes_per_token(result, context) : operations_per_token(context.model);
  const std::vector<double> ts = rates(result);
  std::vector<double> shares;
  for (std::size_t i = 0; i < ts.size(); ++i)
    shares.push_back(100 * ts[i] * work / ((result.limits[i].*limit + result.limits[i + 1].*limit) / 2));
  return median(shares);
}

// "8.3B", "3.4M"
std::string count_text(std::uint64_t parameters, bool whole) {
  const bool billions = parameters >= 950'000'000;
  const double count = static_cast<double>(parameters) / (billions ? 1e9 : 1e6);
  char text[32];
  std::snprintf(text, sizeof(text), billions && whole ? "%.0f%c" : "%.1f%c", count, billions ? 'B' : 'M');
  return text;
}

// As the models are called: of 8.34 billion parameters, 1.56 of them active, "8B.A1B".
std::string model_label(const BenchContext& context) {
  const ModelInfo& model = context.model;
  const bool experts = model.experts > 0;
  std::string size = count_text(model.parameters, experts);
  if (experts) {
    const std::uint64_t active = model.active_parameters;  // rounded down, where they are billions
    size += ".A" + count_text(active >= 1'000'000'000 ? active / 1'000'000'000 * 1'000'000'000 : active, true);
  }
  return model.architecture + " " + size + " " + context.type;
}

// llama-bench's field names where the meaning is the same, so that scripts made for it read ours; ours come after.
Json machine_fields(const BenchContext& context) {
  return {
      {"build_commit", LFM_VERSION},
      {"build_number", 0},
      {"cpu_info", cpu_name()},
      {"gpu_info", ""},
      {"backends", "lfm-" + context.model.isa + "-" + context.model.dense_backend},
      {"model_filename", context.model.path},
      {"model_type", model_label(context)},
      {"model_size", context.model.file_bytes},
      {"model_n_params", context.model.parameters},
      {"n_batch", context.chunk_tokens},
      {"n_ubatch", context.chunk_tokens},
      {"n_threads", context.model.threads},
      {"n_threads_batch", context.model.batch_threads},
      {"type_k", context.cache.keys},
      {"type_v", context.cache.values},
      {"flash_attn", 1},
  };
}

Json fields(const BenchResult& result, const BenchContext& context, bool samples) {
  std::vector<double> nanoseconds;
  std::vector<std::uint64_t> whole;  // strict readers refuse fractions
  for (const double seconds : result.seconds) {
    nanoseconds.push_back(std::round(seconds * 1e9));
    whole.push_back(static_cast<std::uint64_t>(nanoseconds.back()));
  }
  const std::vector<double> ts = rates(result);
  Json row = machine_fields(context);
  row["n_prompt"] = result.test.prompt;
  row["n_gen"] = result.test.generated;
  row["n_depth"] = result.test.depth;
  row["test_time"] = result.time;
  row["avg_ns"] = static_cast<std::uint64_t>(mean(nanoseconds));
  row["stddev_ns"] = static_cast<std::uint64_t>(deviation(nanoseconds));
  row["avg_ts"] = mean(ts);
  row["stddev_ts"] = deviation(ts);
  if (samples) {
    row["samples_ns"] = whole;
    row["samples_ts"] = ts;
  }
  row["median_ts"] = median(ts);
  row["read_gb_per_s"] = median_limit(result, &MachineLimits::read_bytes_per_second) / 1e9;
  row["int8_gop_per_s"] = median_limit(result, &MachineLimits::int8_operations_per_second) / 1e9;
  const bool generates = result.test.generated > 0 && !result.test.mixed();
  row["limit_percent"] = result.test.mixed() ? Json() : Json(share_of_limit(result, context));
  row["achieved_gb_per_s"] = generates ? median(ts) * bytes_per_token(result, context) / 1e9 : 0.0;
  row["first_token_ms"] = result.first_token_seconds * 1e3;
  row["p50_token_ms"] = percentile(result.token_milliseconds, 0.5);
  row["p95_token_ms"] = percentile(result.token_milliseconds, 0.95);
  row["peak_memory_bytes"] = result.peak_bytes;
  row["load_ms"] = context.load_seconds * 1e3;
  for (const PhaseTime& phase : result.phases) {
    if (!context.profile) break;
    if (samples) {
      row["phases_ms"][phase.name] = phase.seconds * 1e3;
    } else {
      row["ms of " + phase.name] = phase.seconds * 1e3;
    }
  }
  return row;
}

struct ParallelRates {
  double prompt, generated, total;  // tokens/s of all sessions, medians
  double gap_p50, gap_p99;          // ms, of the session that took longest
};

ParallelRates rates(const ParallelResult& result) {
  const auto tokens = static_cast<double>(result.test.sessions);
  const auto of = [&](std::size_t count, double seconds) {
    return seconds > 0 ? tokens * static_cast<double>(count) / seconds : 0;
  };
  std::vector<double> prompt, generated, total;
  for (std::size_t i = 0; i < result.prompt_seconds.size(); ++i) {
    const double reading = result.prompt_seconds[i], writing = result.generate_seconds[i];
    prompt.push_back(of(result.test.prompt, reading));
    generated.push_back(of(result.test.generated, writing));
    total.push_back(of(result.test.prompt + result.test.generated, reading + writing));
  }
  const auto slowest = std::ranges::max_element(result.gaps, {}, mean);
  return {median(prompt), median(generated), median(total), percentile(*slowest, 0.5), percentile(*slowest, 0.99)};
}

Json fields(const ParallelResult& result, const BenchContext& context) {
  const ParallelRates speed = rates(result);
  Json row = machine_fields(context);
  row["n_parallel"] = result.test.sessions;
  row["n_prompt"] = result.test.prompt;
  row["n_gen"] = result.test.generated;
  row["n_depth"] = result.test.depth;
  row["pp_ts"] = speed.prompt;
  row["tg_ts"] = speed.generated;
  row["ts"] = speed.total;
  row["gap_p50_ms"] = speed.gap_p50;
  row["gap_p99_ms"] = speed.gap_p99;
  return row;
}

Json fields(const SustainedResult& result, const BenchContext& context) {
  Json row = machine_fields(context);
  row["test_time"] = result.time;
  row["seconds"] = result.seconds;
  row["ts"] = result.rate;
  row["first_percent"] = result.share;
  return row;
}

template <typename T>
std::size_t median_count(const std::vector<T>& counts) {
  return static_cast<std::size_t>(median({counts.begin(), counts.end()}));
}

std::vector<double> rates(const ReplayResult& result) {
  std::vector<double> rates;
  for (const double seconds : result.seconds) rates.push_back(static_cast<double>(result.generated) / seconds);
  return rates;
}

Json fields(const ReplayResult& result, const BenchContext& context, bool samples) {
  const std::vector<double> ts = rates(result);
  Json row = machine_fields(context);
  row["replay"] = result.name;
  row["draft"] = to_string(result.draft);
  row["n_prompt"] = result.prompt;
  row["n_gen"] = result.generated;
  row["avg_ts"] = mean(ts);
  row["stddev_ts"] = deviation(ts);
  row["median_ts"] = median(ts);
  if (samples) row["samples_ts"] = ts;
  row["passes"] = median_count(result.passes);
  row["drafted"] = median_count(result.drafted);
  row["accepted"] = median_count(result.accepted);
  const double blocks = std::max<double>(1, static_cast<double>(result.network.blocks));
  row["draft_blocks"] = result.network.blocks;
  row["draft_layers_ms"] = 1e3 * result.network.layers / blocks;
  row["draft_head_ms"] = 1e3 * result.network.head / blocks;
  row["draft_markov_ms"] = 1e3 * result.network.markov / blocks;
  return row;
}

// A text between quotes, those in it twice.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) out.append(c == '"' ? 2 : 1, c);
  return out + "\"";
}

void print_csv(const Json& row, bool names) {
  std::string line;
  for (const auto& [key, value] : row.items()) {
    if (!line.empty()) line += ",";
    line += names ? key : value.is_string() ? quoted(value.get<std::string>()) : value.dump();
  }
  write_out(line + "\n");
}

// What isn't UTF-8, such as a path, becomes so.
std::string dump(const Json& row, int indent) {
  return row.dump(indent, ' ', false, Json::error_handler_t::replace);
}

// A row in a form for programs.
void print(const Json& row, BenchFormat format, bool first) {
  switch (format) {
    case BenchFormat::kMarkdown:
      break;
    case BenchFormat::kCsv:
      if (first) print_csv(row, true);
      print_csv(row, false);
      break;
    case BenchFormat::kJson:
      write_out((first ? "\n" : ",\n") + dump(row, 2));
      break;
    case BenchFormat::kJsonl:
      write_out(dump(row, -1) + "\n");
      break;
  }
}

}  // namespace

std::string BenchTest::name() const {
  std::string text = prompt > 0 ? "pp" + std::to_string(prompt) : "";
  if (generated > 0) text += (text.empty() ? "tg" : "+tg") + std::to_string(generated);
  return depth > 0 ? text + " @ d" + std::to_string(depth) : text;
}

std::string ParallelTest::name() const {
  return std::to_string(sessions) + " x " + BenchTest{prompt, generated, depth}.name();
}

double percentile(std::vector<double> values, double p) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(p * static_cast<double>(values.size() - 1) + 0.5)];
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

void BenchReport::begin() {
  if (std::exchange(begun_, true)) return;
  if (format_ == BenchFormat::kJson) write_out("[");
  if (format_ != BenchFormat::kMarkdown) return;
  if (table_ == BenchTable::kSustained) {
    print_out("| %8s | %8s | %12s |\n| -------: | -------: | -----------: |\n", "seconds", "t/s", "of the first");
    return;
  }
  if (table_ == BenchTable::kReplay) {
    print_out("| %-30s | %-22s | %7s | %22s | %7s | %6s | %15s | %7s | %7s | %8s |\n", "model", "backend", "threads",
              "text", "tokens", "draft", "t/s", "passes", "drafted", "accepted");
    print_out("| %s | %s | %s: | %s: | %s: | %s: | %s: | %s: | %s: | %s: |\n", std::string(30, '-').c_str(),
              std::string(22, '-').c_str(), std::string(6, '-').c_str(), std::string(21, '-').c_str(),
              std::string(6, '-').c_str(), std::string(5, '-').c_str(), std::string(14, '-').c_str(),
              std::string(6, '-').c_str(), std::string(6, '-').c_str(), std::string(7, '-').c_str());
    return;
  }
  if (table_ == BenchTable::kParallel) {
    print_out("| %-30s | %-22s | %7s | %20s | %9s | %9s | %9s | %10s | %10s |\n", "model", "backend", "threads", "test",
              "pp t/s", "tg t/s", "t/s", "gap p50 ms", "gap p99 ms");
    print_out("| %s | %s | %s: | %s: | %s: | %s: | %s: | %s: | %s: |\n", std::string(30, '-').c_str(),
              std::string(22, '-').c_str(), std::string(6, '-').c_str(), std::string(19, '-').c_str(),
              std::string(8, '-').c_str(), std::string(8, '-').c_str(), std::string(8, '-').c_str(),
              std::string(9, '-').c_str(), std::string(9, '-').c_str());
    return;
  }
  print_out("| %-30s | %10s | %10s | %-22s | %7s | %15s | %18s | %18s | %9s | %9s | %9s |\n", "model", "size", "params",
            "backend", "threads", "test", "t/s", "of the limit", "p50 ms", "p95 ms", "memory");
  print_out("| %s | %s: | %s: | %s | %s: | %s: | %s: | %s: | %s: | %s: | %s: |\n", std::string(30, '-').c_str(),
            std::string(9, '-').c_str(), std::string(9, '-').c_str(), std::string(22, '-').c_str(),
            std::string(6, '-').c_str(), std::string(14, '-').c_str(), std::string(17, '-').c_str(),
            std::string(17, '-').c_str(), std::string(8, '-').c_str(), std::string(8, '-').c_str(),
            std::string(8, '-').c_str());
}

void BenchReport::markdown_row(const BenchResult& result) {
  const std::vector<double> ts = rates(result);
  char rate[32];
  std::snprintf(rate, sizeof(rate), "%.2f ± %.2f", mean(ts), deviation(ts));
  char limit[48] = "";
  if (result.test.mixed()) {
    // Two limits, neither of which it is held against.
  } else if (result.test.generated > 0) {
    std::snprintf(limit, sizeof(limit), "%.0f %% of %.1f GB/s", share_of_limit(result, context_),
                  median_limit(result, &MachineLimits::read_bytes_per_second) / 1e9);
  } else {
    std::snprintf(limit, sizeof(limit), "%.0f %% of %.0f Gop/s", share_of_limit(result, context_),
                  median_limit(result, &MachineLimits::int8_operations_per_second) / 1e9);
  }
  // The ± takes two bytes and one column.
  print_out("| %-30s | %6.2f GiB | %8.2f B | %-22s | %7u | %15s | %19s | %18s | %9.2f | %9.2f | %5.2f GiB |\n",
            model_label(context_).c_str(), static_cast<double>(context_.model.file_bytes) / (1 << 30),
            static_cast<double>(context_.model.parameters) / 1e9,
            (context_.model.isa + "/" + context_.model.dense_backend).c_str(), context_.model.threads,
            result.test.name().c_str(), rate, limit, percentile(result.token_milliseconds, 0.5),
            percentile(result.token_milliseconds, 0.95), static_cast<double>(result.peak_bytes) / (1 << 30));
}

bool BenchReport::row(const ParallelResult& result) {
  begin();
  if (format_ == BenchFormat::kMarkdown) {
    const ParallelRates speed = rates(result);
    print_out("| %-30s | %-22s | %7u | %20s | %9.2f | %9.2f | %9.2f | %10.2f | %10.2f |\n",
              model_label(context_).c_str(), (context_.model.isa + "/" + context_.model.dense_backend).c_str(),
              context_.model.threads, result.test.name().c_str(), speed.prompt, speed.generated, speed.total,
              speed.gap_p50, speed.gap_p99);
  } else {
    print(fields(result, context_), format_, first_);
  }
  return end_row();
}

bool BenchReport::row(const ReplayResult& result) {
  begin();
  if (format_ == BenchFormat::kMarkdown) {
    const std::vector<double> ts = rates(result);
    char rate[32];
    std::snprintf(rate, sizeof(rate), "%.2f ± %.2f", mean(ts), deviation(ts));
    print_out("| %-30s | %-22s | %7u | %22s | %7zu | %6s | %16s | %7zu | %7zu | %8zu |\n",
              model_label(context_).c_str(), (context_.model.isa + "/" + context_.model.dense_backend).c_str(),
              context_.model.threads, result.name.c_str(), result.generated, to_string(result.draft), rate,
              median_count(result.passes), median_count(result.drafted), median_count(result.accepted));
  } else {
    print(fields(result, context_, format_ != BenchFormat::kCsv), format_, first_);
  }
  const bool written = end_row();
  if (result.network.blocks > 0 && format_ == BenchFormat::kMarkdown) {
    const double ms = 1e3 / static_cast<double>(result.network.blocks);
    print_err("draft network: %zu blocks in %zu %s, %.2f ms each: layers %.2f, head %.2f, Markov %.2f\n",
              result.network.blocks, result.seconds.size(), result.seconds.size() == 1 ? "repetition" : "repetitions",
              ms * (result.network.layers + result.network.head + result.network.markov), ms * result.network.layers,
              ms * result.network.head, ms * result.network.markov);
  }
  return written;
}

bool BenchReport::row(const BenchResult& result) {
  begin();
  if (format_ == BenchFormat::kMarkdown) {
    markdown_row(result);
  } else {
    print(fields(result, context_, format_ != BenchFormat::kCsv), format_, first_);
  }
  const bool written = end_row();
  if (context_.profile && format_ == BenchFormat::kMarkdown) profile(result);
  return written;
}

bool BenchReport::row(const SustainedResult& result) {
  begin();
  if (format_ == BenchFormat::kMarkdown) {
    print_out("| %8.0f | %8.2f | %10.1f %% |\n", result.seconds, result.rate, result.share);
  } else {
    print(fields(result, context_), format_, first_);
  }
  return end_row();
}

void BenchReport::profile(const BenchResult& result) const {
  double total = 0;
  for (const PhaseTime& phase : result.phases) total += phase.seconds;
  const double tokens = static_cast<double>(result.test.tokens() * result.seconds.size());
  for (const PhaseTime& phase : result.phases) {
    if (phase.seconds == 0) continue;
    const std::string cells = bar(phase.seconds / total, 40);
    print_err("    %-15s %9.3f ms a token %6.1f %% %s\n", phase.name.c_str(), phase.seconds * 1e3 / tokens,
              100 * phase.seconds / total, cells.substr(0, cells.find("░")).c_str());
  }
}

bool BenchReport::end_row() {
  const NoInterrupt whole;  // the row and what closes it, or neither
  first_ = false;
  const bool written = flush_out();
  if (format_ == BenchFormat::kJson) set_closing_words("\n]\n");
  return written;
}

void BenchReport::end() {
  const NoInterrupt whole;
  begin();
  set_closing_words(nullptr);
  if (format_ == BenchFormat::kJson) write_out("\n]\n");
  (void)flush_out();  // which the caller asks again
  begun_ = false;
}

}  // namespace lfm::cli
