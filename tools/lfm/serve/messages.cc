#include "serve/messages.h"

#include "base/try.h"
#include "talk/message_json.h"

namespace lfm::serve {

Result<std::vector<Message>> read_messages(const Fields& fields, std::size_t most) {
  LFM_ASSIGN(const Json* const list, fields.list("messages", most));
  if (list == nullptr) return wrong("messages", "is missing");
  if (list->empty()) return wrong("messages", "is empty");
  std::vector<Message> messages;
  for (const Json& element : *list) {
    auto message = cli::message_of(element);
    if (!message.ok()) {
      const std::string place = "messages[" + std::to_string(messages.size()) + "]";
      const std::string& field = message.error().field;
      return wrong(field == "messages" ? place : place + "." + field, message.error().message);
    }
    // Only what we said ourselves is known to be what it says.
    message->tokens.clear();
    messages.push_back(*std::move(message));
  }
  return messages;
}

}  // namespace lfm::serve
