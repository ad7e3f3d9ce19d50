#include "serve/chat_request.h"

#include <numeric>

namespace lfm::serve {

std::size_t Outcome::generated() const noexcept {
  return std::accumulate(choices.begin(), choices.end(), std::size_t{0},
                         [](std::size_t sum, const Finish& finish) { return sum + finish.tokens; });
}

std::size_t Outcome::reasoning() const noexcept {
  return std::accumulate(choices.begin(), choices.end(), std::size_t{0},
                         [](std::size_t sum, const Finish& finish) { return sum + finish.reasoning_tokens; });
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
