// Messages as JSON, as lfm/chat.h has it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lfm/chat.h"

namespace lfm::chat {

// Text that isn't UTF-8 is made so.
std::string write_messages(std::span<const Message> messages);

// kFormat with the offset, or with the field that is to blame and the message as index.
Result<std::vector<Message>> read_messages(std::string_view json);

}  // namespace lfm::chat
