// lfm: LFM2 language models on the command line.
#include <signal.h>

#include <exception>

#include "command.h"
#include "io.h"

namespace {

int run(int argc, char** argv) {
  CLI::App app{
      "Runs Liquid AI's LFM2 language models on a CPU.\n"
      "Exit status: 0; 1 for bad input or a failure; 2 for usage; 130 when interrupted."};
  app.name("lfm");
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help for all commands");
  app.set_version_flag("--version", "lfm " LFM_VERSION);
  lfm::cli::Action action;
  lfm::cli::add_run(app, action);
  lfm::cli::add_tokenize(app, action);
  lfm::cli::add_detokenize(app, action);
  lfm::cli::add_logits(app, action);
  lfm::cli::add_pack(app, action);
  lfm::cli::add_inspect(app, action);
  lfm::cli::add_bench(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? lfm::cli::kOk : lfm::cli::kUsage;
  }
  return action();
}

}  // namespace

int main(int argc, char** argv) {
  // A closed pipe is an error of the write, not the end of the program.
  signal(SIGPIPE, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    return lfm::cli::fail(error.what());
  }
}
