#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/try.h"
#include "c/convert.h"
#include "c/message.h"
#include "c/sized.h"

struct lfm_form_writer {
  std::vector<lfm::ChatSegment> segments;
  bool full = false;  // there was no memory for one

  void add(const char* text, bool token) noexcept {
    try {
      if (text != nullptr) segments.push_back({text, token});
    } catch (const std::bad_alloc&) {
      full = true;
    }
  }
};

namespace lfm::c {
namespace {

ChatForm form_of(lfm_chat_form form) {
  switch (form) {
    case LFM_FORM_FROM_MODEL:
      return ChatForm::kFromModel;
    case LFM_FORM_CHATML:
      return ChatForm::kChatMl;
    case LFM_FORM_LFM2:
      return ChatForm::kLfm2;
    case LFM_FORM_LFM25:
      return ChatForm::kLfm25;
  }
  return ChatForm::kFromModel;
}

lfm_chat_form form_to_c(ChatForm form) {
  switch (form) {
    case ChatForm::kFromModel:
      return LFM_FORM_FROM_MODEL;
    case ChatForm::kChatMl:
      return LFM_FORM_CHATML;
    case ChatForm::kLfm2:
      return LFM_FORM_LFM2;
    case ChatForm::kLfm25:
      return LFM_FORM_LFM25;
  }
  return LFM_FORM_CHATML;
}

ChatOptions::Custom custom_of(lfm_form_callback callback, void* user) {
  if (callback == nullptr) return nullptr;
  return [callback, user](std::span<const Message> messages, bool prompt) -> Result<std::vector<ChatSegment>> {
    std::vector<std::vector<lfm_tool_call>> calls;
    std::vector<lfm_message> given;
    for (const Message& message : messages) calls.push_back(calls_of(message));
    for (std::size_t i = 0; i < messages.size(); ++i) given.push_back(message_to_c(messages[i], calls[i]));
    lfm_form_writer out;
    const lfm_code code = callback(given.data(), given.size(), prompt, &out, user);
    LFM_TRY(said(code, "custom"));
    if (out.full) return Error{ErrorCode::kNoMemory, {}};
    return std::move(out.segments);
  };
}

}  // namespace

lfm_answer* new_answer(Answer answer) {
  std::string description = answer.finish.describe();
  auto out = std::make_unique<lfm_answer>(lfm_answer{std::move(answer), {}, std::move(description)});
  out->calls = calls_of(out->answer.message);
  return out.release();
}

}  // namespace lfm::c

namespace c = lfm::c;

lfm_code lfm_chat_new(const lfm_engine* engine, const lfm_chat_options* options, lfm_chat** chat, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{engine, "engine"}, {chat, "chat"}}));
    LFM_ASSIGN(const lfm_chat_options given, c::read_sized(options, "options"));
    lfm::ChatOptions inner;
    LFM_ASSIGN(const lfm_chat_form form, c::known(given.form, "form"));
    inner.form = c::form_of(form);
    inner.tools = c::text(given.tools);
    inner.date = c::text(given.date);
    inner.preserve_thinking = given.preserve_thinking;
    inner.custom = c::custom_of(given.custom, given.custom_user);
    LFM_ASSIGN(lfm::Chat made, lfm::Chat::create(engine->engine, inner));
    *chat = new lfm_chat{std::move(made)};
    return {};
  });
}

void lfm_form_text(lfm_form_writer* out, const char* text) {
  if (out != nullptr) out->add(text, false);
}

void lfm_form_token(lfm_form_writer* out, const char* name) {
  if (out != nullptr) out->add(name, true);
}

void lfm_chat_free(lfm_chat* chat) {
  delete chat;
}

lfm_chat_form lfm_chat_get_form(const lfm_chat* chat) {
  return chat != nullptr ? c::form_to_c(chat->chat.form()) : LFM_FORM_FROM_MODEL;
}

const char* lfm_chat_note(const lfm_chat* chat, size_t i) {
  if (chat == nullptr || i >= chat->chat.notes().size()) return nullptr;
  return chat->chat.notes()[i].c_str();
}

lfm_code lfm_chat_render(const lfm_chat* chat, const lfm_message* messages, size_t message_count,
                         bool generation_prompt, lfm_token* tokens, size_t capacity, size_t* count, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{chat, "chat"}, {count, "count"}}));
    if (capacity > 0) LFM_TRY(c::given({{tokens, "tokens"}}));
    LFM_ASSIGN(const auto inner, c::messages_of(messages, message_count));
    LFM_ASSIGN(const auto ids, chat->chat.render(inner, generation_prompt));
    return c::give<lfm_token>(ids, tokens, capacity, count);
  });
}

lfm_code lfm_chat_render_text(const lfm_chat* chat, const lfm_message* messages, size_t message_count,
                              bool generation_prompt, char* text, size_t capacity, size_t* bytes, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{chat, "chat"}, {bytes, "bytes"}}));
    if (capacity > 0) LFM_TRY(c::given({{text, "text"}}));
    LFM_ASSIGN(const auto inner, c::messages_of(messages, message_count));
    LFM_ASSIGN(const std::string written, chat->chat.render_text(inner, generation_prompt));
    return c::give<char>(written, text, capacity, bytes);
  });
}

lfm_code lfm_chat_fit(const lfm_chat* chat, const lfm_message* messages, size_t message_count, size_t tokens,
                      size_t* drop, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{chat, "chat"}, {drop, "drop"}}));
    LFM_ASSIGN(const auto inner, c::messages_of(messages, message_count));
    LFM_ASSIGN(*drop, chat->chat.fit(inner, tokens));
    return {};
  });
}

lfm_code lfm_messages_to_json(const lfm_message* messages, size_t message_count, char* text, size_t capacity,
                              size_t* bytes, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{bytes, "bytes"}}));
    if (capacity > 0) LFM_TRY(c::given({{text, "text"}}));
    LFM_ASSIGN(const auto inner, c::messages_of(messages, message_count));
    LFM_ASSIGN(const std::string json, lfm::to_json(inner));
    return c::give<char>(json, text, capacity, bytes);
  });
}

lfm_code lfm_chat_answer(const lfm_chat* chat, lfm_session* session, const lfm_message* messages, size_t message_count,
                         const lfm_generate_options* options, lfm_piece_callback callback, void* user,
                         lfm_answer** answer, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{chat, "chat"}, {session, "session"}, {answer, "answer"}}));
    LFM_ASSIGN(const auto inner, c::messages_of(messages, message_count));
    LFM_ASSIGN(const lfm::GenerateOptions generate, c::options_of(options, session->engine));
    LFM_ASSIGN(lfm::Answer made, chat->chat.answer(session->session, inner, generate, c::pieces_of(callback, user)));
    *answer = c::new_answer(std::move(made));
    return {};
  });
}

void lfm_answer_free(lfm_answer* answer) {
  delete answer;
}

lfm_code lfm_answer_message(const lfm_answer* answer, lfm_message* message, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{answer, "answer"}}));
    return c::write_sized(c::message_to_c(answer->answer.message, answer->calls), message, "message");
  });
}

lfm_code lfm_answer_finish(const lfm_answer* answer, lfm_finish* finish, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{answer, "answer"}}));
    return c::write_sized(c::to_c(answer->answer.finish), finish, "finish");
  });
}

lfm_sync_info lfm_answer_prompt(const lfm_answer* answer) {
  if (answer == nullptr) return {0, 0};
  return {answer->answer.prompt.reused, answer->answer.prompt.evaluated};
}

const char* lfm_answer_description(const lfm_answer* answer) {
  return answer != nullptr ? answer->description.c_str() : nullptr;
}
