// What a command's --help says of its options, in parts.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace lfm::cli::pages {

struct OptionOf {
  std::vector<std::string> names;  // "-m", "--model"; none: an argument
  std::string value;               // "FILE", "auto|none"; empty: a flag
  std::vector<std::string> choices;
  std::string standard;  // the value that it has without being given
  std::string help;
  bool required = false;

  bool takes_file() const { return value.find("FILE") != std::string::npos || value.find("DIR") != std::string::npos; }
};

struct CommandOf {
  std::string name;
  std::string title;  // the first line of its description
  std::string more;   // the rest
  std::vector<OptionOf> options;
};

CommandOf describe(const CLI::App& app);

// Those of the program, in the order of --help.
std::vector<CommandOf> commands_of(const CLI::App& program);

}  // namespace lfm::cli::pages
