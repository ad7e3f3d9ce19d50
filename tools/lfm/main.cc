// lfm: LFM2 language models on the command line.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <exception>

#include "command.h"
#include "io.h"
#include "schema.h"

namespace {

// Where the program was started without one of its three files, that one can't be used; otherwise the next file to be
// opened would take its place, and messages would be written into it.
void fill_missing_files() {
  for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(file, F_GETFD) < 0) ::open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

int run(int argc, char** argv) {
  CLI::App app{
      "Runs Liquid AI's LFM2 language models on a CPU.\n"
      "Exit status: 0; 1 for bad input or a failure; 2 for usage; 130 when interrupted."};
  app.name("lfm");
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help for all commands");
  app.set_version_flag("--version", "lfm " LFM_VERSION);
  lfm::cli::Action action;
  lfm::cli::add_chat(app, action);
  lfm::cli::add_run(app, action);
  lfm::cli::add_tokenize(app, action);
  lfm::cli::add_detokenize(app, action);
  lfm::cli::add_logits(app, action);
  lfm::cli::add_pack(app, action);
  lfm::cli::add_perplexity(app, action);
  lfm::cli::add_inspect(app, action);
  lfm::cli::add_schema(app, action);
  lfm::cli::add_bench(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::RequiredError& error) {
    // A word that is no command is what is wrong, and not that a command is missing.
    const bool unknown = app.get_subcommands().empty() && !app.remaining().empty();
    if (unknown) return app.exit(CLI::ExtrasError(app.remaining())), lfm::cli::kUsage;
    return app.exit(error), lfm::cli::kUsage;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? lfm::cli::kOk : lfm::cli::kUsage;
  }
  return action();
}

}  // namespace

int main(int argc, char** argv) {
  fill_missing_files();
  // A closed pipe is an error of the write, not the end of the program.
  signal(SIGPIPE, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    return lfm::cli::fail(error.what());
  }
}
