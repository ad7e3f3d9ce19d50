#include "serve/model/request.h"

#include <numeric>
#include <random>

namespace lfm::serve {

std::size_t Outcome::generated() const noexcept {
  return std::accumulate(choices.begin(), choices.end(), std::size_t{0},
                         [](std::size_t sum, const Finish& finish) { return sum + finish.tokens; });
}

std::size_t Outcome::reasoning() const noexcept {
  return std::accumulate(choices.begin(), choices.end(), std::size_t{0},
                         [](std::size_t sum, const Finish& finish) { return sum + finish.reasoning_tokens; });
}

std::size_t Outcome::drafted() const noexcept {
  return std::accumulate(choices.begin(), choices.end(), std::size_t{0},
                         [](std::size_t sum, const Finish& finish) { return sum + finish.drafted; });
}

std::size_t Outcome::accepted() const noexcept {
  return std::accumulate(choices.begin(), choices.end(), std::size_t{0},
                         [](std::size_t sum, const Finish& finish) { return sum + finish.accepted; });
}

std::string new_id(std::string_view front) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::size_t kLength = 24;
  thread_local std::mt19937_64 random{(std::uint64_t{std::random_device()()} << 32) | std::random_device()()};
  std::uniform_int_distribution<std::size_t> draw(0, kLetters.size() - 1);
  std::string id(front);
  for (std::size_t i = 0; i < kLength; ++i) id += kLetters[draw(random)];
  return id;
}

Saying saying(const Piece& piece, bool has_tools) noexcept {
  if (piece.kind == PieceKind::kReasoning) return Saying::kThinking;
  return piece.kind == PieceKind::kToolCall && has_tools ? Saying::kCall : Saying::kText;
}

const char* finish_word(const Finish& finish) noexcept {
  switch (finish.reason) {
    case FinishReason::kEnd:
      return finish.tool_calls > 0 ? "tool_calls" : "stop";
    case FinishReason::kStop:
      return "stop";
    default:
      return "length";
  }
}

}  // namespace lfm::serve
