// An end to thinking: after so many tokens of it, the tokens that end it are said for the model.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "chat/answer_reader.h"
#include "lfm/result.h"
#include "lfm/session.h"
#include "text/tokenizer.h"

namespace lfm::engine {

class ThinkingLimit {
 public:
  // No budget: no limit. The tokenizer outlives it.
  static Result<ThinkingLimit> create(const text::Tokenizer& tokenizer, std::optional<std::size_t> budget);

  // The token that has to be next, or none. Asked once for every token.
  std::optional<TokenId> forced(const chat::AnswerReader& answer) noexcept;

  // Tokens that mustn't be next: to think again, and to end while nothing has been said.
  std::span<const TokenId> forbidden(const chat::AnswerReader& answer, const Finish& so_far) const noexcept;

  bool was_reached() const noexcept { return reached_; }

 private:
  std::optional<std::size_t> budget_;
  std::vector<TokenId> end_;        // of thinking
  std::vector<TokenId> forbidden_;  // first what begins thinking, if that is one token, and then all that end an answer
  std::size_t beginnings_ = 0;
  std::size_t said_ = 0;  // of end_
  bool reached_ = false;
};

}  // namespace lfm::engine
