// The files that are made.
#pragma once

#include <string>
#include <vector>

#include "pages/options_of.h"

namespace lfm::cli::pages {

// In the language of man(7). `program` is lfm itself.
std::string man_page(const CommandOf& program, const std::vector<CommandOf>& commands);
std::string man_page(const CommandOf& command, const std::string& program);

// Scripts that complete a command line that is being typed.
std::string bash_completion(const CommandOf& program, const std::vector<CommandOf>& commands);
std::string zsh_completion(const CommandOf& program, const std::vector<CommandOf>& commands);
std::string fish_completion(const CommandOf& program, const std::vector<CommandOf>& commands);

}  // namespace lfm::cli::pages
