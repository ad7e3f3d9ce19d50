// lfm chat: a conversation.
#include <unistd.h>

#include <memory>

#include "command.h"
#include "constraint_flags.h"
#include "input.h"
#include "io.h"
#include "model_options.h"
#include "model_path.h"
#include "sampling_flags.h"
#include "talk/history_file.h"
#include "talk/modes.h"
#include "talk/obey.h"
#include "talk/saved.h"
#include "talk/style.h"
#include "talk/terminal_text.h"

namespace lfm::cli {
namespace {

struct Options {
  ModelOptions model;
  std::optional<std::string> prompt;
  std::string system;
  std::string resume;
  bool json = false;
  bool show_prompt = false;
  std::string thinking = "auto";
  std::int64_t thinking_budget = -1;
  bool preserve_thinking = false;
  std::string form = "auto";
  std::string date;
  std::int64_t max_tokens = -1;
  ContextOptions context;
  SamplingFlags sampling;
  std::optional<Draft> draft;
  bool timings = false;
  bool plain = false;
  ConstraintFlags constraint;
  std::string history;
};

ChatForm form_of(const std::string& name) {
  for (const ChatForm form : {ChatForm::kChatMl, ChatForm::kLfm2, ChatForm::kLfm25}) {
    if (name == to_string(form)) return form;
  }
  return ChatForm::kFromModel;
}

TalkOptions talk_options(const Options& options, const Engine& engine, std::optional<Constraint> constraint) {
  TalkOptions out;
  out.generate.constraint = std::move(constraint);
  out.tool_choice = options.constraint.tool_choice();
  out.session = options.context.session(engine.info());
  out.generate.max_tokens = static_cast<std::size_t>(options.max_tokens);
  out.generate.sampling = options.sampling.sampling(engine);
  out.generate.draft = options.draft.value_or(default_draft(engine));
  if (options.thinking_budget >= 0) out.generate.thinking_budget = static_cast<std::size_t>(options.thinking_budget);
  out.chat.form = form_of(options.form);
  out.chat.date = options.date;
  out.chat.preserve_thinking = options.preserve_thinking;
  return out;
}

Result<Conversation> conversation_of(const Options& options) {
  Conversation out;
  if (!options.constraint.tools.empty()) {
    auto tools = read_tools(options.constraint.tools);
    if (!tools.ok()) return std::move(tools).error();
    out.tools = *std::move(tools);
  }
  out.system = options.system;
  return out;
}

bool at_terminal(const Options& options) {
  return !options.json && !options.show_prompt && !options.prompt && ::isatty(STDIN_FILENO) == 1 && on_terminal();
}

// What is asked where there is no terminal to ask at.
Result<std::string> question_of(const Options& options) {
  if (options.prompt) return *options.prompt;
  auto text = read_input("-");
  if (text.ok() && text->ends_with('\n')) text->pop_back();
  return text;
}

// As /stats tells them.
int print_timings(Talk& talk, int status) {
  const auto lines = obey(talk, Request{Verb::kStats, ""});
  if (!lines.ok()) return fail(lines.error());
  for (const std::string& line : *lines) write_err(shown(line) + "\n");
  return status;
}

int converse(Talk& talk, const Options& options, std::string question) {
  ViewOptions view;
  view.thinking = options.thinking != "hide";
  view.plain = options.plain;
  if (options.json) return talk_to_script(talk);
  if (at_terminal(options)) {
    if (options.history != "off")
      view.history = options.history.empty() ? HistoryFile::default_path() : options.history;
    return talk_at_terminal(talk, view);
  }
  view.thinking = options.thinking == "show";
  const int status = ask_once(talk, std::move(question), view);
  return options.timings ? print_timings(talk, status) : status;
}

// What the model reads before it answers this.
int show_prompt(Talk& talk, std::string question) {
  talk.add({Role::kUser, std::move(question)});
  auto text = talk.chat().render_text(talk.conversation().all());
  if (!text.ok()) return fail(text.error());
  return write_out(*text) && flush_out() ? 0 : fail_to_write();
}

int run_chat(const Options& options) {
  auto conversation = conversation_of(options);
  if (!conversation.ok()) return fail(conversation.error());
  // Before the model is opened, which takes longer.
  auto constraint = options.constraint.constraint(conversation->tools);
  if (!constraint.ok()) return fail(constraint.error());
  std::string question;
  if (!options.json && !at_terminal(options)) {
    auto text = question_of(options);
    if (!text.ok()) return fail(text.error());
    if (text->empty()) return fail("the question is empty");
    question = *std::move(text);
  }
  auto engine = open_engine(options.model);
  if (!engine.ok()) return fail(engine.error());
  auto talk = Talk::open(*engine, talk_options(options, *engine, *std::move(constraint)), *std::move(conversation));
  if (!talk.ok()) return fail(talk.error());
  for (const std::string& note : talk->chat().notes()) print_note(note);
  if (!options.resume.empty()) {
    auto notes = talk->load(options.resume);
    if (!notes.ok()) return fail(notes.error());
    for (const std::string& note : *notes) print_note(note);
  }
  const int status =
      options.show_prompt ? show_prompt(*talk, std::move(question)) : converse(*talk, options, std::move(question));
  finish_pack_cache(*engine);
  return status;
}

}  // namespace

void add_chat(CommandLine& line) {
  auto options = std::make_shared<Options>();
  Command& command = line.add(
      "chat",
      "Talk with a model\n"
      "At a terminal: type, and /help lists the commands. Otherwise standard input is one question, whose answer alone "
      "goes to standard output; with --json it is a conversation of lines.");
  options->model.add_to(command);
  options->model.add_threads_to(command);
  const Option prompt = command.text("-p,--prompt", options->prompt, "ask this one question");
  command.text("--system", options->system, "system prompt");
  command.text("--resume", options->resume, "go on with a conversation that /save wrote").type("FILE");
  const Option show_prompt = command.flag("--show-prompt", options->show_prompt,
                                          "print what the model reads before it answers the question, and no answer");
  command
      .flag(
          "--json", options->json,
          "events on standard output, one JSON object a line; lines on standard input, as at the prompt or objects "
          "such as {\"role\":\"user\",\"content\":\"Hello\"}; role \"tool\" gives the result of a call, \"system\" the "
          "system prompt, and \"assistant\" what was answered; a question with \"edit\":N takes the place of question "
          "N")
      .excludes(prompt)
      .excludes(show_prompt);
  command.choice("--thinking", options->thinking, {"auto", "show", "hide"},
                 "what the model thinks before it answers: show, hide, or auto for show at a terminal only; with one "
                 "question it goes to standard error");
  command.number("--thinking-budget", options->thinking_budget, {-1},
                 "tokens that it may think, after which it has to answer (default: -1, no limit)");
  command.flag("--preserve-thinking", options->preserve_thinking, "let it read its earlier thinking too");
  command.choice("--form", options->form, {"auto", "chatml", "lfm2", "lfm2.5"},
                 "how messages are written for it; auto is as its file says");
  command.text("--date", options->date, "today, as 2026-11-22, for models that want to know");
  add_predict_option(command, options->max_tokens, "tokens of an answer at most; -1 is no limit");
  options->context.add_to(command);
  options->sampling.add_to(command);
  add_draft_model_option(command, options->model);
  add_draft_option(command, options->draft, kDraftHelp);
  check_draft(command, options->model, options->draft);
  command.flag("--plain", options->plain,
               "show answers at a terminal as the model writes them: no lines broken between words, no Markdown made "
               "readable");
  command.flag("--timings", options->timings, "print timings of the one question on standard error");
  options->constraint.add_to(command, "JSON list of tools that the model may call");
  command
      .text("--history", options->history,
            "file for what is typed (default: lfm/chat_history in the user's state folder); off keeps none")
      .type("FILE|off");
  command.runs([options] { return with_model(options->model, [&] { return run_chat(*options); }); });
}

}  // namespace lfm::cli
