// Conversations whose last message is to be continued.
#include <algorithm>
#include <iterator>

#include "base/try.h"
#include "chat/message.h"
#include "chat/structure.h"
#include "chat/template.h"

namespace lfm::chat {

Result<Template::Open> Template::open_end(std::span<const Message> messages, std::vector<std::size_t>& ends) const {
  if (messages.empty() || messages.back().role != Role::kAssistant) {
    return Error{ErrorCode::kArgument, "the last message isn't one of the assistant", "continue_last"};
  }
  // With its own tokens it stands behind the prompt that it answered, as it did when it was cut off.
  const Message& last = messages.back();
  LFM_ASSIGN(std::vector<TokenId> prompt, tokens(messages.first(messages.size() - 1), true, &ends));
  const std::size_t begin = answer_begin(prompt);
  if (says_so_far(*tokenizer_, last)) {
    prompt.resize(begin);
    prompt.insert(prompt.end(), last.tokens.begin(), last.tokens.end());
    return Open{std::move(prompt), begin};
  }
  // Otherwise as the form writes it, but for its end.
  ends.clear();
  LFM_ASSIGN(std::vector<TokenId> whole, tokens(messages, false, &ends));
  const auto turn_end = std::find(whole.rbegin(), whole.rend(), find_token(*tokenizer_, kTurnEnd));
  const auto turn_start = std::find(whole.rbegin(), turn_end, find_token(*tokenizer_, kTurnStart));
  if (turn_end == whole.rend() || turn_start != turn_end) {
    return Error{ErrorCode::kArgument, "the form doesn't end a message in a way that can be left out", "continue_last"};
  }
  whole.erase(std::prev(turn_end.base()), whole.end());
  const bool told = begin <= whole.size() &&
                    std::equal(prompt.begin(), prompt.begin() + static_cast<std::ptrdiff_t>(begin), whole.begin());
  return Open{std::move(whole), told ? std::optional(begin) : std::nullopt};
}

}  // namespace lfm::chat
