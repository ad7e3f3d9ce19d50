// lfm run: continues raw text.
#include <memory>
#include <optional>
#include <random>

#include "command.h"
#include "io.h"

namespace lfm::cli {
namespace {

struct Options {
  ModelOptions model;
  std::optional<std::string> prompt;
  std::string file;
  std::int64_t max_tokens = 256;
  std::size_t context = 0;
  std::optional<float> temperature;
  std::optional<int> top_k;
  std::optional<float> top_p;
  std::optional<float> min_p;
  std::optional<float> repeat_penalty;
  std::optional<std::uint64_t> seed;
  bool ignore_eos = false;
  bool plain = false;
  std::vector<std::string> stop;
  bool timings = false;
};

SamplingOptions sampling(const Options& options, const Engine& engine) {
  SamplingOptions s = engine.recommended_sampling();
  s.temperature = options.temperature.value_or(s.temperature);
  s.top_k = options.top_k.value_or(s.top_k);
  s.top_p = options.top_p.value_or(s.top_p);
  s.min_p = options.min_p.value_or(s.min_p);
  s.repetition_penalty = options.repeat_penalty.value_or(s.repetition_penalty);
  s.seed = options.seed ? *options.seed : std::random_device()();
  return s;
}

void print_timings(const SessionStats& stats) {
  const auto rate = [](std::size_t tokens, double seconds) {
    return seconds > 0 ? static_cast<double>(tokens) / seconds : 0.0;
  };
  std::fprintf(stderr, "prompt      %6zu tokens %8.2f s %8.2f tokens/s\n", stats.prompt_tokens, stats.prompt_seconds,
               rate(stats.prompt_tokens, stats.prompt_seconds));
  std::fprintf(stderr, "generation  %6zu tokens %8.2f s %8.2f tokens/s\n", stats.generated_tokens,
               stats.generate_seconds, rate(stats.generated_tokens, stats.generate_seconds));
}

int run_text(const Options& options) {
  std::string text;
  if (options.prompt) {
    text = *options.prompt;
  } else {
    auto input = read_input(options.file.empty() ? "-" : options.file);
    if (!input.ok()) return fail(input.error());
    text = *std::move(input);
  }
  auto engine = open_engine(options.model);
  if (!engine.ok()) return fail(engine.error());
  auto ids = engine->tokenizer().encode(text, {.bos = true, .special_tokens = !options.plain});
  if (!ids.ok()) return fail(ids.error());
  if (ids->empty()) return fail("the prompt is empty, and the model has no first token of its own");
  auto session = engine->new_session({.context_tokens = options.context});
  if (!session.ok()) return fail(session.error());

  if (ids->size() > session->context_tokens()) {
    return fail("the prompt has " + std::to_string(ids->size()) + " tokens, the context room for " +
                std::to_string(session->context_tokens()) + "; -c makes room for more");
  }

  InterruptGuard guard(*session);
  if (const Status status = session->append(*ids); !status.ok()) {
    if (status.error().code == ErrorCode::kCancelled) return kInterrupted;
    return fail("prompt: " + status.error().describe());
  }
  bool writable = true;
  const GenerateOptions generate{static_cast<std::size_t>(options.max_tokens), sampling(options, *engine), options.stop,
                                 options.ignore_eos};
  auto finish = session->generate(generate, [&](const Piece& piece) {
    writable = write_out(piece.text) && flush_out();
    return writable;
  });
  if (!finish.ok()) return fail(finish.error());
  if (!writable) return fail("cannot write to standard output");
  if (options.timings) print_timings(session->stats());
  if (finish->reason == FinishReason::kContextFull) {
    std::fprintf(stderr, "lfm: note: stopped because the context of %zu tokens is full; -c makes room for more\n",
                 session->context_tokens());
  }
  finish_pack_cache(*engine);
  return InterruptGuard::interrupted() ? kInterrupted : kOk;
}

// A finite number from least to most; unlike CLI::Range it refuses NaN.
CLI::Validator number(double least, double most) {
  return CLI::Validator(
      [least, most](std::string& text) -> std::string {
        double value = 0;
        if (CLI::detail::lexical_cast(text, value) && value >= least && value <= most) return {};
        char message[64];
        std::snprintf(message, sizeof(message),
                      most < 1e9 ? "expected a number from %g to %g" : "expected a number from %g", least, most);
        return message;
      },
      "");
}

}  // namespace

void add_run(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("run", "Continue a text");
  options->model.add_to(*command);
  auto* prompt =
      command->add_option("-p,--prompt", options->prompt, "the text (default: standard input)")->type_name("TEXT");
  command->add_option("-f,--file", options->file, "file with the text; - is standard input")
      ->type_name("FILE")
      ->excludes(prompt);
  command->add_option("-n,--predict", options->max_tokens, "tokens to generate at most; -1 is no limit")
      ->check(CLI::Range(std::int64_t{-1}, std::int64_t{1} << 32))
      ->capture_default_str();
  command->add_option("-c,--ctx-size", options->context, "room for tokens (default: the model's, at most 32768)")
      ->check(CLI::PositiveNumber);
  command->add_option("--temp", options->temperature, "temperature; 0 takes the likeliest token (default: the model's)")
      ->check(number(0, 1e9));
  command->add_option("--top-k", options->top_k, "keep the K likeliest tokens; 0 keeps all")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--top-p", options->top_p, "keep the likeliest tokens that together have this probability")
      ->check(number(0, 1));
  command->add_option("--min-p", options->min_p, "keep tokens at least this times as likely as the likeliest")
      ->check(number(0, 1));
  command->add_option("--repeat-penalty", options->repeat_penalty, "penalty for tokens of the context; 1 is none")
      ->check(number(1e-6, 1e9));
  command->add_option("-s,--seed", options->seed, "seed: the same seed gives the same text");
  command->add_flag("--ignore-eos", options->ignore_eos, "go on when the model says that it is done");
  command->add_flag("--plain", options->plain, "take special tokens in the text, such as <|im_end|>, as text");
  command->add_option("--stop", options->stop, "end before this text; may be given several times")->type_name("TEXT");
  command->add_flag("--timings", options->timings, "print timings on standard error");
  command->callback([options, &action] { action = [options] { return run_text(*options); }; });
}

}  // namespace lfm::cli
