// JSON in anybody's spelling to that of a constraint.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lfm::constrain {

struct Respelt {
  std::string text;
  std::vector<std::uint32_t> from;  // of each byte, and of the end: where it comes from
  bool whole = true;                // false: what follows is no JSON any more
};

// One space behind commas and colons and none elsewhere, characters as Spelling has them, and, unless 1.0 is no
// integer, integers without a fraction or an exponent. Goes as far as there is JSON; nothing is checked that a matcher would notice.
Respelt respell(std::string_view json, bool whole_fractions = true);

}  // namespace lfm::constrain
