// What was said so far, and how it is changed.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "lfm/chat.h"
#include "lfm/result.h"

namespace lfm::cli {

// The system prompt and the messages after it. Questions are the user's messages, numbered from 1.
class Conversation {
 public:
  std::string system;             // empty: none
  std::string tools;              // a JSON array as ChatOptions has it; empty: none
  std::vector<Message> messages;  // without the system prompt

  std::vector<Message> all() const;  // with it
  std::size_t questions() const;

  // Where question n stands in `messages`; 0 is the last. kArgument: there is no such question.
  Result<std::size_t> place_of(std::size_t n) const;

  // Forgets the last n questions and what came after them. kArgument: there aren't that many; nothing is forgotten.
  Status undo(std::size_t n);

  // Forgets the last answer, so that what stands before it can be answered again. kState: there is nothing to answer.
  Status take_answer();

  // Calls of the last answer whose results aren't there yet, in order: results that are there are the first calls'.
  std::vector<ToolCall> open_calls() const;
};

}  // namespace lfm::cli
