// lfm run: continues raw text.
#include <memory>
#include <optional>

#include "command.h"
#include "constraint_flags.h"
#include "input.h"
#include "interrupt.h"
#include "io.h"
#include "model_options.h"
#include "model_path.h"
#include "sampling_flags.h"
#include "talk/model_text.h"
#include "talk/obey.h"
#include "talk/reading_line.h"

namespace lfm::cli {
namespace {

struct Options {
  ModelOptions model;
  std::optional<std::string> prompt;
  std::string file;
  std::int64_t max_tokens = 256;
  ContextOptions context;
  SamplingFlags sampling;
  ConstraintFlags constraint;
  bool ignore_eos = false;
  bool plain = false;
  std::vector<std::string> stop;
  std::optional<Draft> draft;
  bool timings = false;
};

void print_timings(const SessionStats& stats) {
  const auto line = [](const char* what, std::size_t tokens, double seconds) {
    print_err("%s: %zu tokens in %.2f s (%.2f tokens/s)\n", what, tokens, seconds,
              seconds > 0 ? static_cast<double>(tokens) / seconds : 0.0);
  };
  line("prompt", stats.prompt_tokens, stats.prompt_seconds);
  line("generation", stats.generated_tokens, stats.generate_seconds);
  if (stats.drafted_tokens > 0) print_err("drafts: %s\n", drafts_text(stats).c_str());
}

// What the text has to go on as, if anything was said.
Result<std::optional<Constraint>> constraint_of(const ConstraintFlags& flags) {
  std::string tools;
  if (!flags.tools.empty()) {
    auto list = read_tools(flags.tools);
    if (!list.ok()) return std::move(list).error();
    tools = *std::move(list);
  }
  return flags.constraint(tools);
}

int run_text(const Options& options) {
  auto constraint = constraint_of(options.constraint);
  if (!constraint.ok()) return fail(constraint.error());
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
  auto session = engine->new_session(options.context.session(engine->info()));
  if (!session.ok()) return fail(session.error());

  if (ids->size() > session->context_tokens())
    return fail(no_room(ids->size(), session->context_tokens(), engine->info()));

  InterruptGuard guard(*session);
  ReadingLine reading;
  const auto read = session->sync(*ids, {.progress = reading.progress()});
  reading.end();
  if (!read.ok()) {
    if (read.error().code == ErrorCode::kCancelled) return kInterrupted;
    return fail("prompt: " + read.error().describe());
  }
  ModelText out;
  bool writable = true;
  GenerateOptions generate{static_cast<std::size_t>(options.max_tokens), options.sampling.sampling(*engine),
                           options.stop, options.ignore_eos};
  generate.draft = options.draft.value_or(default_draft(*engine));
  generate.constraint = *std::move(constraint);
  auto finish = session->generate(generate, [&](const Piece& piece) { return writable = out.write(piece.text); });
  if (!finish.ok()) return fail(finish.error());
  if (!writable || !out.finish()) return fail_to_write();
  const bool full = finish->reason == FinishReason::kContextFull;
  const bool cut = finish->reason == FinishReason::kLength && generate.constraint;
  if ((options.timings || full || cut) && out.line_begun() && out_is_err()) write_err("\n");
  if (options.timings) print_timings(session->stats());
  if (full) {
    print_note("stopped because the context of " + std::to_string(session->context_tokens()) + " tokens is full" +
               room_for_more(session->context_tokens(), engine->info()));
  }
  if (cut) {
    print_note("stopped after " + std::to_string(finish->tokens) +
               " tokens, before what the text is held to ended; -n allows more");
  }
  finish_pack_cache(*engine);
  return InterruptGuard::interrupted() ? kInterrupted : kOk;
}

}  // namespace

void add_run(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command& command = line.add("run", "Continue a text");
  options->model.add_to(command);
  options->model.add_threads_to(command);
  const Option prompt = command.text("-p,--prompt", options->prompt, "the text (default: standard input)");
  command.text("-f,--file", options->file, "file with the text; - is standard input").type("FILE").excludes(prompt);
  add_predict_option(command, options->max_tokens, "tokens to generate at most; -1 is no limit");
  options->context.add_to(command);
  options->sampling.add_to(command);
  const Option endless = command.flag("--ignore-eos", options->ignore_eos, "go on when the model says that it is done");
  options->constraint.add_to(command, "JSON list of the tools that --tool-choice is about", &endless);
  command.flag("--plain", options->plain, "take special tokens in the text, such as <|im_end|>, as text");
  command.texts("--stop", options->stop, "end before this text; may be given several times");
  add_draft_model_option(command, options->model);
  add_draft_option(command, options->draft, kDraftHelp);
  check_draft(command, options->model, options->draft);
  command.flag("--timings", options->timings, "print timings on standard error");
  command.runs([options] { return with_model(options->model, [&] { return run_text(*options); }); });
}

}  // namespace lfm::cli
