// lfm run: continues raw text.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <optional>

#include "command.h"
#include "interrupt.h"
#include "io.h"
#include "sampling_flags.h"
#include "talk/model_text.h"

namespace lfm::cli {
namespace {

struct Options {
  ModelOptions model;
  std::optional<std::string> prompt;
  std::string file;
  std::int64_t max_tokens = 256;
  std::size_t context = 0;
  SamplingFlags sampling;
  bool ignore_eos = false;
  bool plain = false;
  std::vector<std::string> stop;
  bool timings = false;
};

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
  ModelText out;
  bool writable = true;
  const GenerateOptions generate{static_cast<std::size_t>(options.max_tokens), options.sampling.sampling(*engine),
                                 options.stop, options.ignore_eos};
  auto finish = session->generate(generate, [&](const Piece& piece) { return writable = out.write(piece.text); });
  if (!finish.ok()) return fail(finish.error());
  if (!writable || !out.finish()) return fail("cannot write to standard output");
  if (options.timings) print_timings(session->stats());
  if (finish->reason == FinishReason::kContextFull) {
    std::fprintf(stderr, "lfm: note: stopped because the context of %zu tokens is full; -c makes room for more\n",
                 session->context_tokens());
  }
  finish_pack_cache(*engine);
  return InterruptGuard::interrupted() ? kInterrupted : kOk;
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
  options->sampling.add_to(*command);
  command->add_flag("--ignore-eos", options->ignore_eos, "go on when the model says that it is done");
  command->add_flag("--plain", options->plain, "take special tokens in the text, such as <|im_end|>, as text");
  command->add_option("--stop", options->stop, "end before this text; may be given several times")->type_name("TEXT");
  command->add_flag("--timings", options->timings, "print timings on standard error");
  command->callback([options, &action] { action = [options] { return run_text(*options); }; });
}

}  // namespace lfm::cli
