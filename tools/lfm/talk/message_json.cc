#include "talk/message_json.h"

#include "base/try.h"

namespace lfm::cli {

Result<std::string> text_of(const Json& object, const char* field, std::uint64_t index) {
  const auto found = object.find(field);
  if (found == object.end()) return std::string();
  if (!found->is_string()) return Error{ErrorCode::kFormat, "isn't a text", field, index};
  return found->get<std::string>();
}

Result<Message> message_of(const Json& json, std::uint64_t index) {
  auto messages = messages_from_json('[' + json.dump(-1, ' ', false, Json::error_handler_t::replace) + ']');
  if (messages.ok()) return std::move(messages->front());
  messages.error().index = index;
  return std::move(messages).error();
}

Json json_of(const Message& message) {
  auto json = to_json({&message, 1});
  auto list = json.ok() ? parse_json(*json) : Result<Json>(std::move(json).error());
  return list.ok() ? std::move(list->front()) : Json::object();
}

}  // namespace lfm::cli
