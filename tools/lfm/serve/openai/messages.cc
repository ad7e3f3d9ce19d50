#include "serve/openai/messages.h"

#include "base/try.h"
#include "talk/message_json.h"

namespace lfm::serve {
namespace {

constexpr std::size_t kMostTokens = std::size_t{1} << 20;

}  // namespace

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

Result<std::optional<std::vector<TokenId>>> read_tokens(const Fields& fields, const char* name,
                                                        const Tokenizer& tokenizer) {
  using Tokens = std::vector<TokenId>;
  LFM_ASSIGN(const Json* const list, fields.list(name, kMostTokens));
  if (list == nullptr) return std::optional<Tokens>();
  Tokens tokens;
  for (const Json& element : *list) {
    const bool token = element.is_number_unsigned() && element.get<std::uint64_t>() < tokenizer.size();
    if (!token) return Error{ErrorCode::kArgument, "is no token of the model", fields.name(name), tokens.size()};
    tokens.push_back(element.get<TokenId>());
  }
  return std::optional<Tokens>(std::move(tokens));
}

}  // namespace lfm::serve
