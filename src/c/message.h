// Messages of C as those of C++, and back.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "c/handles.h"

struct lfm_conversation {
  std::vector<lfm::Message> messages;

  // The same for C: made anew after each change.
  std::vector<std::vector<lfm_tool_call>> calls = {};
  std::vector<lfm_message> shown = {};

  void show();
};

namespace lfm::c {

std::string text(const char* zero_ended);  // empty for NULL

// index: of it among others, for errors.
Result<Message> message_of(const lfm_message& given, std::uint64_t index = Error::kNone);
Result<std::vector<Message>> messages_of(const lfm_message* messages, std::size_t count);

// These point into what they are given.
std::vector<lfm_tool_call> calls_of(const Message& message);
lfm_message message_to_c(const Message& message, std::span<const lfm_tool_call> calls);

// A handle of its own for an answer.
lfm_answer* new_answer(Answer answer);

}  // namespace lfm::c
