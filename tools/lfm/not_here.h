// What other programs have and lfm hasn't, whether it is asked for by an option or as a command.
#pragma once

#include <string_view>

namespace lfm::cli {

inline constexpr std::string_view kOneHub =
    "lfm downloads from the Hugging Face hub alone, as in 'lfm pull LiquidAI/LFM2-8B-A1B-GGUF'";
inline constexpr std::string_view kServes =
    "'lfm serve' is the server, where lfm is built with it (libboost-dev); 'lfm chat --json' talks through pipes";

}  // namespace lfm::cli
