// Sets of characters.
#pragma once

#include <cstdint>
#include <vector>

namespace lfm::constrain {

// Code points from first to last.
struct CodeRange {
  std::uint32_t first;
  std::uint32_t last;
};
using CodeSet = std::vector<CodeRange>;  // ascending, neither overlapping nor touching

inline constexpr std::uint32_t kLastCode = 0x10ffff;

CodeSet normalized(CodeSet set);
CodeSet complement(const CodeSet& set);

// Whether all of the characters are among the others.
bool is_within(const CodeSet& set, const CodeSet& others);

}  // namespace lfm::constrain
