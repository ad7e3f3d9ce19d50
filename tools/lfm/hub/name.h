// A model on the hub, as people write it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace lfm::hub {

inline constexpr std::string_view kMain = "main";

struct Name {
  std::string repository;       // "LiquidAI/LFM2-8B-A1B-GGUF"
  std::string quant = {};       // "Q4_0"; empty: the best choice of those there are
  std::string file = {};        // instead of a quant: a file's path in the repository
  std::string revision{kMain};  // a branch, a tag, or a commit

  // As parse_name() reads it.
  std::string text() const;
};

// ORGANISATION/NAME[:QUANT], with or without the hub's address in front, or the address of a file there. Nothing where
// the text can't be that.
std::optional<Name> parse_name(std::string_view text);

// ORGANISATION/NAME: letters, digits and '_', and between them single '-' and '.'. So "--" can stand for the slash.
bool is_repository(std::string_view text);

// Whether a file of that path lies in the folder that it is put into, whoever said the path: no "..", nothing absolute,
// no control characters, and no longer than systems take.
bool stays_inside(std::string_view path);

// Lower-case hexadecimal digits, so many.
bool is_hex(std::string_view text, std::size_t digits);
bool is_commit(std::string_view text);

}  // namespace lfm::hub
