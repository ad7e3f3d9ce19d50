#include "c/message.h"

#include <utility>

#include "base/try.h"
#include "c/sized.h"

namespace lfm::c {
namespace {

Role role_of(lfm_role role) {
  switch (role) {
    case LFM_SYSTEM:
      return Role::kSystem;
    case LFM_USER:
      return Role::kUser;
    case LFM_ASSISTANT:
      return Role::kAssistant;
    case LFM_TOOL:
      return Role::kTool;
  }
  return Role::kUser;
}

lfm_role role_to_c(Role role) {
  switch (role) {
    case Role::kSystem:
      return LFM_SYSTEM;
    case Role::kUser:
      return LFM_USER;
    case Role::kAssistant:
      return LFM_ASSISTANT;
    case Role::kTool:
      return LFM_TOOL;
  }
  return LFM_USER;
}

}  // namespace

std::string text(const char* zero_ended) {
  return zero_ended != nullptr ? zero_ended : "";
}

Result<Message> message_of(const lfm_message& given, std::uint64_t index) {
  LFM_ASSIGN(const lfm_message message, read_sized(&given, "messages"));
  LFM_ASSIGN(const lfm_role role, known(message.role, "role", index));
  Message out;
  out.role = role_of(role);
  out.content = text(message.content);
  out.reasoning = text(message.reasoning);
  LFM_ASSIGN(const auto calls, array(message.calls, message.call_count, "calls"));
  for (const lfm_tool_call& call : calls) out.tool_calls.push_back({text(call.name), text(call.arguments)});
  LFM_ASSIGN(const auto tokens, array(message.tokens, message.token_count, "tokens"));
  out.tokens.assign(tokens.begin(), tokens.end());
  return out;
}

Result<std::vector<Message>> messages_of(const lfm_message* messages, std::size_t count) {
  std::vector<Message> out;
  if (count == 0) return out;
  LFM_TRY(given({{messages, "messages"}}));
  LFM_TRY(check_size(*messages, "messages"));
  const auto* const first = reinterpret_cast<const unsigned char*>(messages);
  for (std::size_t i = 0; i < count; ++i) {
    LFM_ASSIGN(Message message, message_of(*reinterpret_cast<const lfm_message*>(first + i * messages->size), i));
    out.push_back(std::move(message));
  }
  return out;
}

std::vector<lfm_tool_call> calls_of(const Message& message) {
  std::vector<lfm_tool_call> out;
  for (const ToolCall& call : message.tool_calls) out.push_back({call.name.c_str(), call.arguments.c_str()});
  return out;
}

lfm_message message_to_c(const Message& message, std::span<const lfm_tool_call> calls) {
  lfm_message out{};
  out.size = sizeof out;
  out.role = role_to_c(message.role);
  out.content = message.content.c_str();
  out.reasoning = message.reasoning.c_str();
  out.calls = calls.data();
  out.call_count = calls.size();
  out.tokens = message.tokens.data();
  out.token_count = message.tokens.size();
  return out;
}

}  // namespace lfm::c
