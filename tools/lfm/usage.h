// What to say of a command line that isn't understood.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lfm::cli {

// What was typed, without the program's name, in one sentence.
//   no_command()      it begins with no command of these
//   no_such_word()    the command has no use for this word; `options` are its long ones
//   without_a_name()  the name of a model on the hub is missing
//   without_a_model() the model is missing
std::string no_command(const std::vector<std::string>& words, const std::vector<std::string>& commands);
std::string no_such_word(const std::string& word, const std::string& command, const std::vector<std::string>& options);
std::string without_a_name(const std::string& command);
std::string without_a_model(const std::string& command);

// Of these the one that the word was likely meant to be; "" where none is near.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace lfm::cli
