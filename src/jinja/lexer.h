// A template's text to tokens, as Jinja has it with trim_blocks and lstrip_blocks, which chat templates are written
// for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lfm/result.h"

namespace lfm::jinja {

inline constexpr std::size_t kMaxTemplateBytes = std::size_t{4} << 20;

enum class TokenType : std::uint8_t {
  kData,  // text outside of tags
  kVariableBegin,
  kVariableEnd,
  kBlockBegin,
  kBlockEnd,
  kName,
  kString,  // what it means
  kInteger,
  kFloat,
  kOperator,
  kEnd,
};

struct Token {
  TokenType type = TokenType::kEnd;
  std::uint32_t line = 0;
  std::string text = {};
};

// An error at a line, before whoever calls the room makes a sentence of it.
Error at_line(ErrorCode code, std::string message, std::uint64_t line);

// The last token is kEnd. kUnsupported: what isn't Jinja, with the line as index.
Result<std::vector<Token>> tokenize(std::string_view source);

}  // namespace lfm::jinja
