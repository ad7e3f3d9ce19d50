// lfm: LFM2 language models on the command line.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <exception>

#include "command.h"
#include "io.h"
#include "options.h"

namespace {

// Where the program was started without one of its three files, that one can't be used; otherwise the next file to be
// opened would take its place, and messages would be written into it.
void fill_missing_files() {
  for (const int file : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(file, F_GETFD) < 0) ::open("/dev/null", file == STDIN_FILENO ? O_WRONLY : O_RDONLY);
  }
}

int run(int argc, char** argv) {
  lfm::cli::CommandLine line(
      "lfm",
      "Runs Liquid AI's LFM2 language models on a CPU.\n"
      "Exit status: 0; 1 for bad input or a failure; 2 for usage; 130 when interrupted.",
      "lfm " LFM_VERSION);
  lfm::cli::add_chat(line);
  lfm::cli::add_run(line);
  lfm::cli::add_tokenize(line);
  lfm::cli::add_detokenize(line);
  lfm::cli::add_logits(line);
  lfm::cli::add_pack(line);
  lfm::cli::add_convert(line);
  lfm::cli::add_quantize(line);
  lfm::cli::add_perplexity(line);
  lfm::cli::add_inspect(line);
  lfm::cli::add_schema(line);
#ifdef LFM_SERVER
  lfm::cli::add_serve(line);
#endif
  lfm::cli::add_bench(line);
  return line.run(argc, argv);
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
