// lfm perplexity: how well a model predicts a text, in llama-perplexity's words and figures.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "command.h"
#include "io.h"
#include "progress_line.h"

namespace lfm::cli {
namespace {

struct Options {
  ModelOptions model;
  std::string text;
  bool divergence = false;
  std::string base;
  EvaluateOptions evaluate;
};

void print_window(const Evaluation& e) {
  if (!e.divergence) {
    std::printf("[%zu]%.4f,", e.windows, e.perplexity.value);
    return;
  }
  if (e.windows == 1) {
    std::printf(
        "\nchunk             PPL               ln(PPL(Q)/PPL(base))          KL Divergence              Δp RMS        "
        "    Same top p\n");
  }
  const Divergence& d = *e.divergence;
  std::printf("%4zu    %9.4f ± %9.4f    %10.5f ± %10.5f    %10.5f ± %10.5f    %6.3f ± %6.3f %%    %6.3f ± %6.3f %%\n",
              e.windows, e.perplexity.value, e.perplexity.error, d.log_ratio.value, d.log_ratio.error, d.kld.value,
              d.kld.error, 100 * d.probability_change_rms.value, 100 * d.probability_change_rms.error,
              100 * d.same_top.value, 100 * d.same_top.error);
}

void print_line(const char* name, const Estimate& estimate) {
  std::printf("%-30s: %10.6f ± %10.6f\n", name, estimate.value, estimate.error);
}

void print_divergence(const Evaluation& e, const Divergence& d) {
  std::printf("\n====== Perplexity statistics ======\n");
  print_line("Mean PPL(Q)", e.perplexity);
  print_line("Mean PPL(base)", d.base_perplexity);
  std::printf("Cor(ln(PPL(Q)), ln(PPL(base))): %6.2f%%\n", 100 * d.correlation);
  print_line("Mean ln(PPL(Q)/PPL(base))", d.log_ratio);
  print_line("Mean PPL(Q)/PPL(base)", d.ratio);
  print_line("Mean PPL(Q)-PPL(base)", d.difference);

  std::printf("\n====== KL divergence statistics ======\n");
  std::printf("Mean    KLD: %10.6f ± %10.6f\n", d.kld.value, d.kld.error);
  const Quantiles& k = d.klds;
  const std::pair<const char*, double> klds[] = {{"Maximum", k.maximum}, {"99.9%  ", k.p999},   {"99.0%  ", k.p99},
                                                 {"95.0%  ", k.p95},     {"90.0%  ", k.p90},    {"Median ", k.median},
                                                 {"10.0%  ", k.p10},     {" 5.0%  ", k.p05},    {" 1.0%  ", k.p01},
                                                 {" 0.1%  ", k.p001},    {"Minimum", k.minimum}};
  for (const auto& [name, value] : klds) std::printf("%s KLD: %10.6f\n", name, value);

  std::printf("\n====== Token probability statistics ======\n");
  std::printf("Mean    Δp: %6.3f ± %5.3f %%\n", 100 * d.probability_change.value, 100 * d.probability_change.error);
  const Quantiles& c = d.probability_changes;
  const std::pair<const char*, double> changes[] = {
      {"Maximum", c.maximum}, {"99.9%  ", c.p999},   {"99.0%  ", c.p99},    {"95.0%  ", c.p95}, {"90.0%  ", c.p90},
      {"75.0%  ", c.p75},     {"Median ", c.median}, {"25.0%  ", c.p25},    {"10.0%  ", c.p10}, {" 5.0%  ", c.p05},
      {" 1.0%  ", c.p01},     {" 0.1%  ", c.p001},   {"Minimum", c.minimum}};
  for (const auto& [name, value] : changes) std::printf("%s Δp: %6.3f%%\n", name, 100 * value);
  std::printf("RMS Δp    : %6.3f ± %5.3f %%\n", 100 * d.probability_change_rms.value,
              100 * d.probability_change_rms.error);
  std::printf("Same top p: %6.3f ± %5.3f %%\n", 100 * d.same_top.value, 100 * d.same_top.error);
}

int run_perplexity(const Options& options) {
  std::string text;
  EvaluateOptions evaluate = options.evaluate;
  if (options.divergence) {
    evaluate.base = options.base;
  } else {
    evaluate.base_out = options.base;
    auto read = read_input(options.text);
    if (!read.ok()) return fail(read.error());
    text = *std::move(read);
  }
  auto engine = open_engine(options.model);
  if (!engine.ok()) return fail(engine.error());
  auto line = std::make_unique<ProgressLine>();
  evaluate.progress = [&](const Evaluation& e) {
    print_window(e);
    const bool written = flush_out();
    line->show(static_cast<double>(e.windows) / static_cast<double>(e.all_windows),
               "window " + std::to_string(e.windows) + " of " + std::to_string(e.all_windows));
    return written;
  };
  auto evaluation = evaluate_text(*engine, text, evaluate);
  line.reset();
  finish_pack_cache(*engine);
  if (!evaluation.ok()) return fail(evaluation.error());
  if (evaluation->divergence) {
    print_divergence(*evaluation, *evaluation->divergence);
  } else {
    std::printf("\nFinal estimate: PPL = %.4f +/- %.5f\n", evaluation->perplexity.value, evaluation->perplexity.error);
  }
  return flush_out() ? kOk : fail("cannot write to standard output");
}

}  // namespace

void add_perplexity(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("perplexity", "How well a model predicts a text, and how far it is from a better file of it");
  options->model.add_to(*command);
  auto* text = command->add_option("-f,--file", options->text, "the text; - is standard input")->type_name("FILE");
  auto* base = command
                   ->add_option("--kl-divergence-base", options->base,
                                "file of distributions, as llama-perplexity's: written, or read to be compared with")
                   ->type_name("FILE");
  auto* divergence =
      command->add_flag("--kl-divergence", options->divergence, "compare with the base; it holds the text too");
  divergence->needs(base)->excludes(text);
  command->add_option("-c,--ctx-size", options->evaluate.window_tokens, "tokens of a window")
      ->check(CLI::Range(4, 1 << 20))
      ->capture_default_str();
  command->add_option("--chunks", options->evaluate.max_windows, "windows at most (default: all)")
      ->check(CLI::Range(1, 1 << 24));
  command->callback([options, &action] {
    if (!options->divergence && options->text.empty()) throw CLI::RequiredError("--file");
    action = [options] { return run_perplexity(*options); };
  });
}

}  // namespace lfm::cli
