// How characters are spelt within a string. Each character has one spelling (in Python's notation a new line and a tab
// have two, but for names and items that may not come twice), so that what a text means and how it is written are one
// question:
//
//   as they are   all characters but control characters, the backslash and the quote around the string
//   \" \\         the quote and the backslash
//   \b \f \n \r \t, and \u00 with two digits for the other control characters
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "constrain/regex/code_set.h"
#include "constrain/regex/regex.h"

namespace lfm::constrain {

struct Spelling {
  char quote = '"';
  bool raw_lines = false;  // new lines and tabs may stand as they are too
  bool plain = false;      // no escapes at all: each character is itself

  bool operator==(const Spelling&) const = default;

  // Without second spellings.
  Spelling strict() const { return {quote, false, plain}; }

  // Any one of the characters, spelt. Half a surrogate pair can't be spelt and is left out.
  RegexId one_of(RegexPool& pool, const CodeSet& set) const;
  RegexId any_char(RegexPool& pool) const { return one_of(pool, {{0, kLastCode}}); }
  RegexId any_text(RegexPool& pool) const { return pool.star(any_char(pool)); }

  // The text, UTF-8, spelt without quotes.
  void append(std::string_view text, std::string& out) const;
  RegexId quoted(RegexPool& pool, RegexId content) const;
};

}  // namespace lfm::constrain
