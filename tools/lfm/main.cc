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
  lfm::cli::CommandLine line("lfm", lfm::cli::kDescription, "lfm " LFM_VERSION);
  lfm::cli::add_all(line);
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
