// An end to thinking: after so many tokens of it, the tokens that end it are said for the model.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "chat/answer_reader.h"
#include "lfm/result.h"
#include "text/tokenizer.h"

namespace lfm::engine {

// All that it says follows from the answer so far, so that a generation that is cut anywhere goes on as the whole one.
class ThinkingLimit {
 public:
  // No budget: no limit. The tokenizer outlives it.
  static Result<ThinkingLimit> create(const text::Tokenizer& tokenizer, std::optional<std::size_t> budget);

  // The token that has to be next, or none.
  std::optional<TokenId> forced(const chat::AnswerReader& answer) const noexcept;

  // Tokens that mustn't be next: to think again, and to end while nothing has been said.
  std::span<const TokenId> forbidden(const chat::AnswerReader& answer) const noexcept;

  // Whether the answer's thinking is at its limit, or was ended there.
  bool is_reached(const chat::AnswerReader& answer) const noexcept;

 private:
  std::optional<std::size_t> budget_;
  std::vector<TokenId> next_;       // next_[n]: what goes on with the end of thinking, n bytes of which are said
  std::vector<TokenId> forbidden_;  // first what begins thinking, if that is one token, and then all that end an answer
  std::size_t beginnings_ = 0;
};

}  // namespace lfm::engine
