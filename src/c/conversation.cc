#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/try.h"
#include "c/convert.h"
#include "c/message.h"
#include "c/sized.h"

namespace c = lfm::c;

void lfm_conversation::show() {
  calls.clear();
  shown.clear();
  for (const lfm::Message& message : messages) calls.push_back(c::calls_of(message));
  for (std::size_t i = 0; i < messages.size(); ++i) shown.push_back(c::message_to_c(messages[i], calls[i]));
}

namespace lfm::c {
namespace {

Status no_message(std::size_t i, std::size_t count) {
  return Error{ErrorCode::kArgument, "the conversation has " + std::to_string(count) + " messages", "i", i};
}

void give_new(std::vector<Message> messages, lfm_conversation** out) {
  auto made = std::make_unique<lfm_conversation>(lfm_conversation{std::move(messages)});
  made->show();
  *out = made.release();
}

}  // namespace
}  // namespace lfm::c

lfm_code lfm_conversation_new(lfm_conversation** conversation, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{conversation, "conversation"}}));
    c::give_new({}, conversation);
    return {};
  });
}

lfm_code lfm_conversation_copy(const lfm_conversation* conversation, lfm_conversation** copy, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{conversation, "conversation"}, {copy, "copy"}}));
    c::give_new(conversation->messages, copy);
    return {};
  });
}

void lfm_conversation_free(lfm_conversation* conversation) {
  delete conversation;
}

lfm_code lfm_conversation_from_json(const char* json, size_t bytes, lfm_conversation** conversation, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{conversation, "conversation"}}));
    LFM_ASSIGN(const auto given, c::array(json, bytes, "json"));
    LFM_ASSIGN(auto messages, lfm::messages_from_json({given.data(), given.size()}));
    c::give_new(std::move(messages), conversation);
    return {};
  });
}

lfm_code lfm_conversation_add(lfm_conversation* conversation, const lfm_message* message, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{conversation, "conversation"}, {message, "message"}}));
    LFM_ASSIGN(lfm::Message added, c::message_of(*message));
    conversation->messages.push_back(std::move(added));
    conversation->show();
    return {};
  });
}

lfm_code lfm_conversation_set(lfm_conversation* conversation, size_t i, const lfm_message* message, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{conversation, "conversation"}, {message, "message"}}));
    if (i >= conversation->messages.size()) return c::no_message(i, conversation->messages.size());
    LFM_ASSIGN(conversation->messages[i], c::message_of(*message));
    conversation->show();
    return {};
  });
}

lfm_code lfm_conversation_erase(lfm_conversation* conversation, size_t first, size_t count, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{conversation, "conversation"}}));
    auto& messages = conversation->messages;
    if (first > messages.size() || count > messages.size() - first) {
      return c::no_message(first > messages.size() ? first : messages.size(), messages.size());
    }
    const auto begin = messages.begin() + static_cast<std::ptrdiff_t>(first);
    messages.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
    conversation->show();
    return {};
  });
}

const lfm_message* lfm_conversation_messages(const lfm_conversation* conversation, size_t* count) {
  if (count != nullptr) *count = conversation != nullptr ? conversation->shown.size() : 0;
  return conversation != nullptr && !conversation->shown.empty() ? conversation->shown.data() : nullptr;
}

lfm_code lfm_conversation_answer(lfm_conversation* conversation, const lfm_chat* chat, lfm_session* session,
                                 const lfm_generate_options* options, lfm_piece_callback callback, void* user,
                                 lfm_finish* finish, lfm_sync_info* prompt, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{conversation, "conversation"}, {chat, "chat"}, {session, "session"}}));
    if (finish != nullptr) LFM_TRY(c::check_size(*finish, "finish"));
    LFM_ASSIGN(const lfm::GenerateOptions generate, c::options_of(options, session->engine));
    auto& messages = conversation->messages;
    LFM_ASSIGN(lfm::Answer answer,
               chat->chat.answer(session->session, messages, generate, c::pieces_of(callback, user)));
    if (finish != nullptr) LFM_TRY(c::write_sized(c::to_c(answer.finish), finish, "finish"));
    if (prompt != nullptr) *prompt = {answer.prompt.reused, answer.prompt.evaluated};
    if (generate.continue_last) {
      messages.back() = std::move(answer.message);
    } else if (!answer.finish.empty() || !answer.message.reasoning.empty()) {
      messages.push_back(std::move(answer.message));
    }
    conversation->show();
    return {};
  });
}
