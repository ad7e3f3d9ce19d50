// lfm_pages FOLDER: writes the man pages and the completions of lfm into it, as they lie below /usr/share.
#include <filesystem>
#include <fstream>

#include "command.h"
#include "options.h"
#include "pages/pages.h"

namespace pages = lfm::cli::pages;

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  lfm::cli::CommandLine line("lfm", lfm::cli::kDescription, "lfm " LFM_VERSION);
  lfm::cli::add_all(line);
  const pages::CommandOf program = pages::describe(line.app());
  const std::vector<pages::CommandOf> commands = pages::commands_of(line.app());
  bool written = true;
  const auto write = [&](const char* folder, const std::string& name, const std::string& text) {
    const std::filesystem::path path = std::filesystem::path(argv[1]) / folder;
    std::filesystem::create_directories(path);
    std::ofstream out(path / name, std::ios::binary);
    out << text;
    written = written && out.flush().good();
  };
  write("man/man1", "lfm.1", pages::man_page(program, commands));
  for (const pages::CommandOf& command : commands) {
    write("man/man1", "lfm-" + command.name + ".1", pages::man_page(command, program.name));
  }
  write("bash-completion/completions", "lfm", pages::bash_completion(program, commands));
  write("zsh/vendor-completions", "_lfm", pages::zsh_completion(program, commands));
  write("fish/vendor_completions.d", "lfm.fish", pages::fish_completion(program, commands));
  return written ? 0 : 1;
}
