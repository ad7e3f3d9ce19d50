// What roles and forms are called.
#include "lfm/chat.h"

namespace lfm {

const char* to_string(Role role) noexcept {
  switch (role) {
    case Role::kSystem:
      return "system";
    case Role::kUser:
      return "user";
    case Role::kAssistant:
      return "assistant";
    case Role::kTool:
      return "tool";
  }
  return "unknown";
}

const char* to_string(ChatForm form) noexcept {
  switch (form) {
    case ChatForm::kFromModel:
      return "from model";
    case ChatForm::kChatMl:
      return "chatml";
    case ChatForm::kLfm2:
      return "lfm2";
    case ChatForm::kLfm25:
      return "lfm2.5";
  }
  return "unknown";
}

}  // namespace lfm
