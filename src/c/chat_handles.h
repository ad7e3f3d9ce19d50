// The handles of chats, and messages of C as those of C++.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "c/handles.h"

struct lfm_chat {
  lfm::Chat chat;
};

struct lfm_answer {
  lfm::Answer answer;
  std::vector<lfm_tool_call> calls;  // into answer
  std::string description;
};

namespace lfm::c {

Result<std::vector<Message>> messages_of(const lfm_message* messages, std::size_t count);

// A handle of its own for an answer.
lfm_answer* new_answer(Answer answer);

}  // namespace lfm::c
