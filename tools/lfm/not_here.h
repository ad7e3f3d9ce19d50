// What other programs have and lfm hasn't, whether it is asked for by an option or as a command.
#pragma once

#include <string_view>

namespace lfm::cli {

inline constexpr std::string_view kNoDownload =
    "lfm doesn't download: get a GGUF file, such as those at https://huggingface.co/LiquidAI, and name it with -m";
inline constexpr std::string_view kServes =
    "'lfm serve' is the server, where lfm is built with it (libboost-dev); 'lfm chat --json' talks through pipes";

}  // namespace lfm::cli
