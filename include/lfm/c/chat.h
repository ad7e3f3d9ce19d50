/* Chats: messages to tokens in the form that a model was trained on, and its answers back to messages. */
#ifndef LFM_C_CHAT_H
#define LFM_C_CHAT_H

#include "lfm/c/session.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lfm_chat lfm_chat;
typedef struct lfm_answer lfm_answer;

typedef enum lfm_role { LFM_SYSTEM, LFM_USER, LFM_ASSISTANT, LFM_TOOL } lfm_role;

typedef struct lfm_tool_call {
  const char* name;
  const char* arguments; /* a JSON object */
} lfm_tool_call;

/* All texts may be NULL, which is as good as empty. In an array of them all have the size of the first. */
typedef struct lfm_message {
  size_t size;
  lfm_role role;
  const char* content;
  const char* reasoning;      /* LFM_ASSISTANT: what it thought */
  const lfm_tool_call* calls; /* LFM_ASSISTANT */
  size_t call_count;
  const lfm_token* tokens; /* LFM_ASSISTANT: those that it was said with, so that they need not be evaluated again */
  size_t token_count;
} lfm_message;

/* A form of the application's own: writes all messages, without the token that a model wants in front of every text,
 * and, with generation_prompt, the beginning of an answer. Messages and `out` are valid during the call. Anything but
 * LFM_OK ends what asked for it with that code. May be called from several threads. */
typedef struct lfm_form_writer lfm_form_writer;
typedef lfm_code (*lfm_form_callback)(const lfm_message* messages, size_t message_count, bool generation_prompt,
                                      lfm_form_writer* out, void* user);
LFM_API void lfm_form_text(lfm_form_writer* out, const char* text);  /* plain text, whatever it spells */
LFM_API void lfm_form_token(lfm_form_writer* out, const char* name); /* the control token "<|im_start|>", say */

typedef enum lfm_chat_form { LFM_FORM_FROM_MODEL, LFM_FORM_CHATML, LFM_FORM_LFM2, LFM_FORM_LFM25 } lfm_chat_form;

typedef struct lfm_chat_options {
  size_t size;
  lfm_chat_form form;
  const char* tools;        /* a JSON array with an object for each tool; NULL: none */
  const char* date;         /* "2026-11-22"; NULL: today */
  bool preserve_thinking;   /* write the thinking of earlier answers too, where the form leaves it out */
  lfm_form_callback custom; /* instead of `form` */
  void* custom_user;
} lfm_chat_options;

/* options: NULL for the model's own form without tools. LFM_ARGUMENT where `tools` or `date` aren't what they should
 * be, LFM_UNSUPPORTED where the vocabulary lacks the form's tokens. */
LFM_API lfm_code lfm_chat_new(const lfm_engine* engine, const lfm_chat_options* options, lfm_chat** chat,
                              lfm_error* error);
LFM_API void lfm_chat_free(lfm_chat* chat);
LFM_API lfm_chat_form lfm_chat_get_form(const lfm_chat* chat); /* LFM_FORM_FROM_MODEL only of NULL */

/* What isn't as expected, an unknown template, say: note i, or NULL where there are no more. Valid as long as the chat
 * is. */
LFM_API const char* lfm_chat_note(const lfm_chat* chat, size_t i);

/* The conversation as tokens; with generation_prompt it ends where an answer begins. `tokens`, `count`, NULL and
 * LFM_LIMIT as in lfm_encode(); LFM_ARGUMENT where a call's arguments aren't a JSON object (index: the message), or the
 * vocabulary lacks a token of a custom form (index: the segment). */
LFM_API lfm_code lfm_chat_render(const lfm_chat* chat, const lfm_message* messages, size_t message_count,
                                 bool generation_prompt, lfm_token* tokens, size_t capacity, size_t* count,
                                 lfm_error* error);

/* The same as text, the form's tokens spelt out, to look at. */
LFM_API lfm_code lfm_chat_render_text(const lfm_chat* chat, const lfm_message* messages, size_t message_count,
                                      bool generation_prompt, char* text, size_t capacity, size_t* bytes,
                                      lfm_error* error);

/* How many messages have to go, the first behind the system's and whole turns, for the rest to be at most so many
 * tokens with the beginning of an answer. LFM_LIMIT where the last turn alone is more (have, limit). */
LFM_API lfm_code lfm_chat_fit(const lfm_chat* chat, const lfm_message* messages, size_t message_count, size_t tokens,
                              size_t* drop, lfm_error* error);

/* A conversation as a JSON array, as lfm/chat.h has it; `text`, `bytes`, NULL and LFM_LIMIT as in lfm_encode(). Read
 * back by lfm_conversation_from_json(). */
LFM_API lfm_code lfm_messages_to_json(const lfm_message* messages, size_t message_count, char* text, size_t capacity,
                                      size_t* bytes, lfm_error* error);

/* Makes the session, which must be of the chat's engine, the conversation and has the model answer it; what the session
 * holds of it already isn't evaluated again. Cancelled, it is an answer that says so (LFM_STOPPED). options: NULL for
 * the defaults; callback: may be NULL. */
LFM_API lfm_code lfm_chat_answer(const lfm_chat* chat, lfm_session* session, const lfm_message* messages,
                                 size_t message_count, const lfm_generate_options* options, lfm_piece_callback callback,
                                 void* user, lfm_answer** answer, lfm_error* error);
LFM_API void lfm_answer_free(lfm_answer* answer);

/* Valid until the answer is freed. Texts end before the first zero byte, should a model say one. */
LFM_API lfm_code lfm_answer_message(const lfm_answer* answer, lfm_message* message, lfm_error* error);
LFM_API lfm_code lfm_answer_finish(const lfm_answer* answer, lfm_finish* finish, lfm_error* error);
LFM_API lfm_sync_info lfm_answer_prompt(const lfm_answer* answer);    /* what was reused, and read */
LFM_API const char* lfm_answer_description(const lfm_answer* answer); /* how it ended, for a person */

#ifdef __cplusplus
}
#endif

#endif
