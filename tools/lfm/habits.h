// Options that people know from llama.cpp and that are spelt otherwise here, or aren't needed.
#pragma once

#include <string>
#include <vector>

namespace lfm::cli {

// Spells them as they are here. Returns what there is to say about one that lfm doesn't take, in one line that begins
// with it as it was typed; empty where there is none.
std::string translate_habits(std::vector<std::string>& arguments);

}  // namespace lfm::cli
