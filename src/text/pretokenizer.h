// Cuts text into the pieces that byte-level BPE works on one by one. A scanner for the `lfm2` pattern (the one of
// Llama 3), written out by hand so that it is linear in the text and needs no stack:
//
//   (?i:'s|'t|'re|'ve|'m|'ll|'d) | [^\r\n\p{L}\p{N}]?\p{L}+ | \p{N}{1,3} | \ ?[^\s\p{L}\p{N}]+[\r\n]* | \s*[\r\n]+
//   | \s+(?!\S) | \s+
//
// Every byte of the text lies in exactly one piece. Bytes that are not UTF-8 are taken as they are: each maximal
// subpart counts as one character that is no letter, number or space, as U+FFFD would.
#pragma once

#include <cstddef>
#include <string_view>

namespace lfm::text {

// The end of the piece that begins at text[begin]; requires begin < text.size() and that a piece begins there.
// `text` must go on to its real end, because whitespace is cut by what follows it.
std::size_t pretoken_end(std::string_view text, std::size_t begin) noexcept;

}  // namespace lfm::text
