// Messages within JSON: in saved conversations and in lines of `lfm chat --json`. As lfm/chat.h has them.
#pragma once

#include "lfm/chat.h"
#include "talk/json_text.h"

namespace lfm::cli {

// A field that may be missing, and is a text.
Result<std::string> text_of(const Json& object, const char* field, std::uint64_t index = Error::kNone);

// kFormat with the field to blame, and the index.
Result<Message> message_of(const Json& json, std::uint64_t index = Error::kNone);

Json json_of(const Message& message);

}  // namespace lfm::cli
