// A conversation that a session is made and answers.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "chat/template.h"
#include "engine/session/session.h"
#include "lfm/chat.h"

namespace lfm {

struct Prompt {
  std::vector<TokenId> tokens;
  std::vector<std::size_t> ends;  // of its messages, so that an edit of one costs what follows it, and no more
  std::optional<std::size_t> answer_begin;  // where that can be told
};

// continue_last: as GenerateOptions has it.
Result<Prompt> write_prompt(const chat::Template& form, std::span<const Message> messages, bool continue_last);

// As Chat::answer(). `read`: empty, or called when the session has read the prompt, or as much of it as was wanted.
Result<Answer> answer_prompt(const chat::Template& form, engine::SessionState& session, const Prompt& prompt,
                             const GenerateOptions& options, const Chat::PieceCallback& callback,
                             const std::function<void()>& read);

}  // namespace lfm
