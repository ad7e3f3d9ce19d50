#include "text/pretokenizer.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "text/unicode.h"

namespace lfm::text {
namespace {

using Pieces = std::vector<std::string>;

Pieces cut(std::string_view text) {
  Pieces pieces;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = pretoken_end(text, begin);
    if (end <= begin || end > text.size()) {
      ADD_FAILURE() << "piece from " << begin << " ends at " << end;
      break;
    }
    pieces.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  return pieces;
}

TEST(Pretokenizer, WordsTakeOneCharacterAlong) {
  EXPECT_EQ(cut("Hello, world!"), (Pieces{"Hello", ",", " world", "!"}));
  EXPECT_EQ(cut("(a) _b \tc"), (Pieces{"(a", ")", " _", "b", " ", "\tc"}));
  EXPECT_EQ(cut("\nx"), (Pieces{"\n", "x"}));
  EXPECT_EQ(cut("1x"), (Pieces{"1", "x"}));
  EXPECT_EQ(cut("\xC2\xA0"
                "a"),
            (Pieces{"\xC2\xA0"
                    "a"}));  // a no-break space is a character to take along too
}

TEST(Pretokenizer, Contractions) {
  EXPECT_EQ(cut("I'll we'Ve it'S x'D"), (Pieces{"I", "'ll", " we", "'Ve", " it", "'S", " x", "'D"}));
  EXPECT_EQ(cut("'sun 'r 'lo"), (Pieces{"'s", "un", " '", "r", " '", "lo"}));
  EXPECT_EQ(cut("'\u017F"
                "a"),
            (Pieces{"'\u017F", "a"}));             // long s folds to s
  EXPECT_EQ(cut("'\u212A"), (Pieces{"'\u212A"}));  // Kelvin is a letter and no contraction
  EXPECT_EQ(cut("''s"), (Pieces{"''", "s"}));
}

TEST(Pretokenizer, Numbers) {
  EXPECT_EQ(cut("12345 \u0661\u0662\u00BD\u2167"), (Pieces{"123", "45", " ", "\u0661\u0662\u00BD", "\u2167"}));
}

TEST(Pretokenizer, SymbolsTakeLineBreaksAlong) {
  EXPECT_EQ(cut(" ...\r\n\nx"), (Pieces{" ...\r\n\n", "x"}));
  EXPECT_EQ(cut("  ..\n"), (Pieces{" ", " ..\n"}));
}

TEST(Pretokenizer, Whitespace) {
  EXPECT_EQ(cut("   a"), (Pieces{"  ", " a"}));
  EXPECT_EQ(cut("a   "), (Pieces{"a", "   "}));
  EXPECT_EQ(cut(" \n \n  a"), (Pieces{" \n \n", " ", " a"}));
  EXPECT_EQ(cut("   1"), (Pieces{"  ", " ", "1"}));
  EXPECT_EQ(cut("\t\t."), (Pieces{"\t", "\t", "."}));
  EXPECT_EQ(cut("\u2003\u2003"
                "b"),
            (Pieces{"\u2003",
                    "\u2003"
                    "b"}));
}

TEST(Pretokenizer, BrokenUtf8CountsAsSymbols) {
  EXPECT_EQ(cut("\xC0\x80 a"), (Pieces{"\xC0\x80", " a"}));
  EXPECT_EQ(cut("\xE6\xAD"
                "a"),
            (Pieces{"\xE6\xAD"
                    "a"}));  // one maximal subpart, as one U+FFFD would be
  EXPECT_EQ(cut("\xED\xA0\x80"
                "a"),
            (Pieces{"\xED\xA0\x80", "a"}));  // a surrogate: three subparts
  EXPECT_EQ(cut("a\xE6\xAD"), (Pieces{"a", "\xE6\xAD"}));
  EXPECT_EQ(cut(std::string("a\0b", 3)), (Pieces{"a", std::string("\0b", 2)}));
}

TEST(CharClasses, CountsAreThoseOfUnicode16) {
  std::size_t letters = 0, numbers = 0, spaces = 0;
  for (char32_t c = 0; c < 0x110000; ++c) {
    letters += char_class(c) == CharClass::kLetter;
    numbers += char_class(c) == CharClass::kNumber;
    spaces += char_class(c) == CharClass::kSpace;
  }
  EXPECT_EQ(letters, 141028u);
  EXPECT_EQ(numbers, 1911u);
  EXPECT_EQ(spaces, 25u);
}

TEST(CharClasses, AsciiTableAgreesWithTheRuns) {
  // The runs' side of the border: every class appears right above ASCII.
  EXPECT_EQ(char_class(U'\u0085'), CharClass::kSpace);
  EXPECT_EQ(char_class(U'\u00AA'), CharClass::kLetter);
  EXPECT_EQ(char_class(U'\u00B2'), CharClass::kNumber);
  EXPECT_EQ(char_class(U'\u0080'), CharClass::kOther);
  EXPECT_EQ(char_class(U'\U0010FFFF'), CharClass::kOther);
  EXPECT_EQ(char_class(U'_'), CharClass::kOther);
  EXPECT_EQ(char_class(U'\v'), CharClass::kSpace);
  EXPECT_EQ(char_class(U'\u001C'), CharClass::kOther);
}

}  // namespace
}  // namespace lfm::text
