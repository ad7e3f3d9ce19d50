#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "c/handles.h"
#include "c/pieces.h"

struct lfm_chat {
  lfm::Chat chat;
};

struct lfm_answer {
  lfm::Answer answer;
  std::vector<lfm_tool_call> calls;  // into answer
  std::string description;
};

namespace lfm::c {
namespace {

std::string text(const char* zero_ended) {
  return zero_ended != nullptr ? zero_ended : "";
}

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

std::vector<Message> messages_of(std::span<const lfm_message> messages) {
  std::vector<Message> out;
  for (const lfm_message& message : messages) {
    Message& added = out.emplace_back();
    added.role = role_of(message.role);
    added.content = text(message.content);
    added.reasoning = text(message.reasoning);
    for (const lfm_tool_call& call : span(message.calls, message.call_count))
      added.tool_calls.push_back({text(call.name), text(call.arguments)});
    const std::span<const lfm_token> tokens = span(message.tokens, message.token_count);
    added.tokens.assign(tokens.begin(), tokens.end());
  }
  return out;
}

}  // namespace
}  // namespace lfm::c

namespace c = lfm::c;

lfm_code lfm_chat_new(const lfm_engine* engine, const lfm_chat_options* options, lfm_chat** chat, lfm_error* error) {
  return c::guarded(error, [&] {
    lfm::ChatOptions inner;
    if (options != nullptr) {
      inner.form = c::form_of(options->form);
      inner.tools = c::text(options->tools);
      inner.date = c::text(options->date);
      inner.preserve_thinking = options->preserve_thinking;
    }
    auto made = lfm::Chat::create(engine->engine, inner);
    if (!made.ok()) return c::report(made.error(), error);
    *chat = new lfm_chat{*std::move(made)};
    return LFM_OK;
  });
}

void lfm_chat_free(lfm_chat* chat) {
  delete chat;
}

lfm_chat_form lfm_chat_get_form(const lfm_chat* chat) {
  return c::form_to_c(chat->chat.form());
}

const char* lfm_chat_note(const lfm_chat* chat, size_t i) {
  const std::vector<std::string>& notes = chat->chat.notes();
  return i < notes.size() ? notes[i].c_str() : nullptr;
}

lfm_code lfm_chat_render(const lfm_chat* chat, const lfm_message* messages, size_t message_count,
                         bool generation_prompt, lfm_token* tokens, size_t capacity, size_t* count, lfm_error* error) {
  return c::guarded(error, [&] {
    const auto ids = chat->chat.render(c::messages_of(c::span(messages, message_count)), generation_prompt);
    if (!ids.ok()) return c::report(ids.error(), error);
    return c::give<lfm_token>(*ids, tokens, capacity, count, error);
  });
}

lfm_code lfm_chat_answer(const lfm_chat* chat, lfm_session* session, const lfm_message* messages, size_t message_count,
                         const lfm_generate_options* options, lfm_piece_callback callback, void* user,
                         lfm_answer** answer, lfm_error* error) {
  return c::guarded(error, [&] {
    auto made = chat->chat.answer(session->session, c::messages_of(c::span(messages, message_count)),
                                  c::from_c(options, session->engine), c::from_c(callback, user));
    if (!made.ok()) return c::report(made.error(), error);
    std::string description = made->finish.describe();
    auto out = std::make_unique<lfm_answer>(lfm_answer{*std::move(made), {}, std::move(description)});
    for (const lfm::ToolCall& call : out->answer.message.tool_calls)
      out->calls.push_back({call.name.c_str(), call.arguments.c_str()});
    *answer = out.release();
    return LFM_OK;
  });
}

void lfm_answer_free(lfm_answer* answer) {
  delete answer;
}

lfm_message lfm_answer_message(const lfm_answer* answer) {
  const lfm::Message& message = answer->answer.message;
  return {.role = LFM_ASSISTANT,
          .content = message.content.c_str(),
          .reasoning = message.reasoning.c_str(),
          .calls = answer->calls.data(),
          .call_count = answer->calls.size(),
          .tokens = message.tokens.data(),
          .token_count = message.tokens.size()};
}

lfm_finish lfm_answer_finish(const lfm_answer* answer) {
  return c::to_c(answer->answer.finish);
}

lfm_sync_info lfm_answer_prompt(const lfm_answer* answer) {
  return {answer->answer.prompt.reused, answer->answer.prompt.evaluated};
}

const char* lfm_answer_description(const lfm_answer* answer) {
  return answer->description.c_str();
}
