// Messages as OpenAI's dialect has them.
#pragma once

#include <vector>

#include "lfm/chat.h"
#include "serve/fields.h"

namespace lfm::serve {

// Those of "messages", at least one. Errors name the field within: "messages[3].content".
Result<std::vector<Message>> read_messages(const Fields& fields, std::size_t most);

}  // namespace lfm::serve
