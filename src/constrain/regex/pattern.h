// Regular expressions as JSON Schema has them (ECMA-262 with the flag u), as expressions over spelt text.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "constrain/regex/spelling.h"
#include "lfm/result.h"

namespace lfm::constrain {

// A pattern as it was read.
struct PatternNode {
  enum class Kind : std::uint8_t { kChars, kSequence, kChoice, kRepeat, kBegin, kEnd, kAhead, kNotAhead };
  Kind kind;
  CodeSet chars = {};
  std::vector<std::unique_ptr<PatternNode>> parts = {};
  std::uint32_t min = 0, max = 0;  // kRepeat
};

class Pattern {
 public:
  static constexpr std::size_t kMaxBytes = 16'384;
  static constexpr std::uint32_t kMaxRepeat = 1'000'000;

  // kArgument: not a pattern; kUnsupported: look-behind, word boundaries, back references, most \p; kLimit. The error's
  // offset is the byte within the pattern.
  static Result<Pattern> parse(std::string_view text);

  enum class Extent : std::uint8_t {
    kWithin,   // the texts in which it is found
    kLoosely,  // likewise, behind it any bytes at all: for who says what texts are besides, and negates this
    kWhole,    // the texts that it matches from end to end
  };

  // kUnsupported: "^", "$" or a look-ahead within something repeated.
  Result<RegexId> compile(RegexPool& pool, const Spelling& spelling, Extent extent = Extent::kWithin) const;

 private:
  explicit Pattern(std::unique_ptr<PatternNode> root) : root_(std::move(root)) {}
  std::shared_ptr<const PatternNode> root_;
};

}  // namespace lfm::constrain
