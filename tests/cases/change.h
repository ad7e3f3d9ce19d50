// The small language in which the case tables say how a file is wrong (README.md has its words).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "support/gguf_builder.h"

namespace lfm::test {

struct CaseFile {
  std::string bytes;
  std::vector<Field> fields;  // where its numbers stand
};

// The file of that kind ("tiny", "large", ...) after the changes, "; " between them. Throws std::invalid_argument about
// a word that it doesn't know.
CaseFile make_case_file(const std::string& kind, const std::string& changes);

// "2^32-1", "-1", "0x7c00", "512"; as 64 bits.
std::uint64_t number_of(std::string_view text);

// Parts of a text between separators, blanks around them removed.
std::vector<std::string> parts_of(std::string_view text, std::string_view separator);

}  // namespace lfm::test
