// Options that people know from llama.cpp and that are spelt otherwise here, or aren't needed.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace lfm::cli {

// Whether this command has that option, "-r" or "--stop".
using HasOption = std::function<bool(const std::string& command, std::string_view option)>;

// Spells them as they are here, those excepted that the command has itself. Returns what there is to say about those
// that lfm doesn't take, a line each that begins with it as it was typed.
std::vector<std::string> translate_habits(std::vector<std::string>& arguments, const HasOption& has);

}  // namespace lfm::cli
