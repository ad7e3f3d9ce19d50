// The tokens of a model's chat form that an answer is read by.
#pragma once

#include <string_view>

#include "text/tokenizer.h"

namespace lfm::chat {

inline constexpr std::string_view kTurnStart = "<|im_start|>";
inline constexpr std::string_view kTurnEnd = "<|im_end|>";
inline constexpr std::string_view kThinkStart = "<think>";
inline constexpr std::string_view kThinkEnd = "</think>";
inline constexpr std::string_view kCallStart = "<|tool_call_start|>";
inline constexpr std::string_view kCallEnd = "<|tool_call_end|>";

inline constexpr std::string_view kSpace = " \t\n\v\f\r";  // what templates trim

// The token with this name, be it control or user defined; kNone where the vocabulary has none.
TokenId find_token(const text::Tokenizer& tokenizer, std::string_view name) noexcept;

// Pairs are there or not: kNone both where one is missing.
struct Structure {
  explicit Structure(const text::Tokenizer& tokenizer) noexcept;

  TokenId turn_start;
  TokenId think_start;  // kNone: thinking is told by its tags' text
  TokenId think_end;
  TokenId call_start;  // kNone: nothing is read as a call
  TokenId call_end;
};

}  // namespace lfm::chat
