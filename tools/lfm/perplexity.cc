// lfm perplexity: how well a model predicts a text, in llama-perplexity's words and figures.
#include <cmath>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "command.h"
#include "exam.h"
#include "input.h"
#include "interrupt.h"
#include "io.h"
#include "model_options.h"
#include "progress_line.h"

namespace lfm::cli {
namespace {

constexpr std::size_t kLeastWindow = 4;  // tokens

struct Options {
  ModelOptions model;
  std::string text;
  bool divergence = false;
  std::string base;
  EvaluateOptions evaluate;
  CacheTypes cache;
  std::string exam;
  bool show = false;
};

// A figure and its error as llama-perplexity prints them, but for the sign of what rounds to nothing.
std::string figure(double value, int width, int decimals) {
  char text[64];
  const bool nothing = std::abs(value) < 0.5 * std::pow(10.0, -decimals);
  std::snprintf(text, sizeof text, "%*.*f", width, decimals, nothing ? 0 : value);
  return text;
}
std::string figure(const Estimate& e, int width, int decimals, double times = 1) {
  return figure(times * e.value, width, decimals) + " ± " + figure(times * e.error, width, decimals);
}

void print_window(const Evaluation& e) {
  if (!e.divergence) {
    print_out("[%zu]%.4f,", e.windows, e.perplexity.value);
    return;
  }
  if (e.windows == 1) {
    print_out(
        "\nchunk             PPL               ln(PPL(Q)/PPL(base))          KL Divergence              Δp RMS        "
        "    Same top p\n");
  }
  const Divergence& d = *e.divergence;
  print_out("%4zu    %s    %s    %s    %s %%    %s %%\n", e.windows, figure(e.perplexity, 9, 4).c_str(),
            figure(d.log_ratio, 10, 5).c_str(), figure(d.kld, 10, 5).c_str(),
            figure(d.probability_change_rms, 6, 3, 100).c_str(), figure(d.same_top, 6, 3, 100).c_str());
}

void print_line(const char* name, const Estimate& estimate) {
  print_out("%-30s: %s\n", name, figure(estimate, 10, 6).c_str());
}

void print_percents(const char* name, const Estimate& estimate) {
  print_out("%s: %s ± %s %%\n", name, figure(100 * estimate.value, 6, 3).c_str(),
            figure(100 * estimate.error, 5, 3).c_str());
}

void print_divergence(const Evaluation& e, const Divergence& d) {
  print_out("\n====== Perplexity statistics ======\n");
  print_line("Mean PPL(Q)", e.perplexity);
  print_line("Mean PPL(base)", d.base_perplexity);
  print_out("Cor(ln(PPL(Q)), ln(PPL(base))): %s%%\n", figure(100 * d.correlation, 6, 2).c_str());
  print_line("Mean ln(PPL(Q)/PPL(base))", d.log_ratio);
  print_line("Mean PPL(Q)/PPL(base)", d.ratio);
  print_line("Mean PPL(Q)-PPL(base)", d.difference);

  print_out("\n====== KL divergence statistics ======\n");
  print_out("Mean    KLD: %s\n", figure(d.kld, 10, 6).c_str());
  const Quantiles& k = d.klds;
  const std::pair<const char*, double> klds[] = {{"Maximum", k.maximum}, {"99.9%  ", k.p999},   {"99.0%  ", k.p99},
                                                 {"95.0%  ", k.p95},     {"90.0%  ", k.p90},    {"Median ", k.median},
                                                 {"10.0%  ", k.p10},     {" 5.0%  ", k.p05},    {" 1.0%  ", k.p01},
                                                 {" 0.1%  ", k.p001},    {"Minimum", k.minimum}};
  for (const auto& [name, value] : klds) print_out("%s KLD: %s\n", name, figure(value, 10, 6).c_str());

  print_out("\n====== Token probability statistics ======\n");
  print_percents("Mean    Δp", d.probability_change);
  const Quantiles& c = d.probability_changes;
  const std::pair<const char*, double> changes[] = {
      {"Maximum", c.maximum}, {"99.9%  ", c.p999},   {"99.0%  ", c.p99},    {"95.0%  ", c.p95}, {"90.0%  ", c.p90},
      {"75.0%  ", c.p75},     {"Median ", c.median}, {"25.0%  ", c.p25},    {"10.0%  ", c.p10}, {" 5.0%  ", c.p05},
      {" 1.0%  ", c.p01},     {" 0.1%  ", c.p001},   {"Minimum", c.minimum}};
  for (const auto& [name, value] : changes) print_out("%s Δp: %s%%\n", name, figure(100 * value, 6, 3).c_str());
  print_percents("RMS Δp    ", d.probability_change_rms);
  print_percents("Same top p", d.same_top);
}

// A text that is too short for such windows may be long enough for shorter ones.
Error of_text(Error error, const Engine& engine, std::string_view text) {
  const auto tokens = engine.tokenizer().count(text);
  if (error.code == ErrorCode::kArgument && error.field == "text" && tokens.ok() && *tokens >= 2 * kLeastWindow)
    error.message += "; -c " + std::to_string(*tokens / 2) + " makes them short enough";
  return error;
}

int run_questions(const Options& options) {
  const auto questions = read_exam(options.exam);
  if (!questions.ok()) return fail(questions.error());
  end_on_interrupt("interrupted; the same command begins anew");
  auto engine = open_engine(options.model);
  if (!engine.ok()) return fail(engine.error());
  const int code = run_exam(*engine, *questions, options.show, options.cache.session(0));
  finish_pack_cache(*engine);
  return code;
}

int run_perplexity(const Options& options) {
  if (!options.exam.empty()) return run_questions(options);
  std::string text;
  EvaluateOptions evaluate = options.evaluate;
  const SessionOptions session = options.cache.session(0);
  evaluate.cache_keys = session.cache_keys;
  evaluate.cache_values = session.cache_values;
  if (options.divergence) {
    evaluate.base = options.base;
  } else {
    evaluate.base_out = options.base;
    auto read = read_input(options.text);
    if (!read.ok()) return fail(read.error());
    text = *std::move(read);
  }
  end_on_interrupt("interrupted; the same command begins anew");
  auto engine = open_engine(options.model);
  if (!engine.ok()) return fail(engine.error());
  auto line = std::make_unique<ProgressLine>();
  bool written = true;
  evaluate.progress = [&](const Evaluation& e) {
    print_window(e);
    written = flush_out();
    line->show(static_cast<double>(e.windows) / static_cast<double>(e.all_windows),
               "window " + std::to_string(e.windows) + " of " + std::to_string(e.all_windows));
    return written;
  };
  auto evaluation = evaluate_text(*engine, text, evaluate);
  line.reset();
  finish_pack_cache(*engine);
  if (!written) return fail_to_write();
  if (!evaluation.ok()) return fail(of_text(std::move(evaluation).error(), *engine, text));
  if (evaluation->divergence) {
    print_divergence(*evaluation, *evaluation->divergence);
  } else {
    print_out("\nFinal estimate: PPL = %.4f +/- %.5f\n", evaluation->perplexity.value, evaluation->perplexity.error);
  }
  return flush_out() ? kOk : fail_to_write();
}

}  // namespace

void add_perplexity(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command& command =
      line.add("perplexity", "How well a model predicts a text, and how far it is from a better file of it");
  options->model.add_to(command);
  options->model.add_threads_to(command);
  const Option text = command.text("-f,--file", options->text, "the text; - is standard input").type("FILE");
  const Option base = command
                          .text("--kl-divergence-base", options->base,
                                "file of distributions, as llama-perplexity's: written, or read to be compared with")
                          .type("FILE");
  command.flag("--kl-divergence", options->divergence, "compare with the base; it holds the text too")
      .needs(base)
      .excludes(text);
  command
      .number("--likeliest", options->evaluate.base_likeliest, {1, 4096},
              "write the base in a small form of our own: so many likeliest tokens of each position, and the rest "
              "together (64, say; llama-perplexity can't read it)")
      .needs(base);
  const Option exam =
      command
          .text("--exam", options->exam,
                "instead: questions, one a line as JSON with text, expect and, if wanted, match (exact, "
                "contains, json), max_tokens and kind")
          .type("FILE")
          .excludes(text)
          .excludes(base);
  command.flag("--show", options->show, "print the questions that are answered wrongly").needs(exam);
  command.number("-c,--ctx-size", options->evaluate.window_tokens, {kLeastWindow, 1 << 20}, "tokens of a window")
      .shows(std::to_string(options->evaluate.window_tokens));
  command.number("--chunks", options->evaluate.max_windows, {1, 1 << 24}, "windows at most (default: all)");
  options->cache.add_to(command);
  command.needs([options] {
    return options->divergence || !options->exam.empty() || !options->text.empty() ? nullptr : "--file";
  });
  command.runs([options] { return with_model(options->model, [&] { return run_perplexity(*options); }); });
}

}  // namespace lfm::cli
