#include "talk/conversation.h"

#include <algorithm>

namespace lfm::cli {
namespace {

bool is_question(const Message& message) {
  return message.role == Role::kUser;
}

Error no_such(std::size_t wanted, std::size_t questions) {
  if (questions == 0) return Error{ErrorCode::kArgument, "nothing was asked yet"};
  return Error{ErrorCode::kArgument, "you asked " + std::to_string(questions) + (questions == 1 ? " time" : " times") +
                                         " so far, not " + std::to_string(wanted) + "; /show lists it"};
}

}  // namespace

std::vector<Message> Conversation::all() const {
  std::vector<Message> out;
  out.reserve(messages.size() + 1);
  if (!system.empty()) out.push_back({Role::kSystem, system});
  out.insert(out.end(), messages.begin(), messages.end());
  return out;
}

std::size_t Conversation::questions() const {
  return static_cast<std::size_t>(std::count_if(messages.begin(), messages.end(), is_question));
}

Result<std::size_t> Conversation::place_of(std::size_t n) const {
  const std::size_t count = questions();
  if (count == 0 || n > count) return no_such(n, count);
  std::size_t at = 0;
  for (std::size_t left = n == 0 ? count : n; !is_question(messages[at]) || --left > 0;) ++at;
  return at;
}

Status Conversation::undo(std::size_t n) {
  const std::size_t count = questions();
  if (n > count) return no_such(n, count);
  if (n == 0) return {};
  const auto place = place_of(count - n + 1);
  if (!place.ok()) return place.error();
  messages.resize(*place);
  return {};
}

Status Conversation::take_answer() {
  const bool answered = !messages.empty() && messages.back().role == Role::kAssistant;
  if (messages.size() < (answered ? 2 : 1)) return Error{ErrorCode::kState, "there is nothing to answer yet"};
  if (answered) messages.pop_back();
  return {};
}

std::vector<ToolCall> Conversation::open_calls() const {
  const auto answer = std::find_if(messages.rbegin(), messages.rend(),
                                   [](const Message& message) { return message.role != Role::kTool; });
  if (answer == messages.rend() || answer->role != Role::kAssistant) return {};
  const auto given = static_cast<std::size_t>(answer - messages.rbegin());
  const std::vector<ToolCall>& calls = answer->tool_calls;
  if (given >= calls.size()) return {};
  return {calls.begin() + static_cast<std::ptrdiff_t>(given), calls.end()};
}

}  // namespace lfm::cli
