// GPT-2's byte alphabet: how the text of a byte-level token is written with printable characters. The bytes 21..7E,
// A1..AC and AE..FF stand for themselves (as the code points of the same value); the other 68, in ascending order, are
// written as U+0100, U+0101, ... So a space (20) is written as U+0120.
#pragma once

#include <string>
#include <string_view>

namespace lfm::text {

// Appends the bytes that `written` stands for and returns true. If some character is not of the alphabet, returns false
// and leaves `bytes` as it was. Never writes more bytes than it reads.
bool append_written_bytes(std::string_view written, std::string& bytes);

}  // namespace lfm::text
