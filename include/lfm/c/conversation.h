/* Conversations that keep their messages: what an application would have to copy and free by itself. */
#ifndef LFM_C_CONVERSATION_H
#define LFM_C_CONVERSATION_H

#include "lfm/c/chat.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A list of messages, of any number of them, which belongs to no chat and no session. To edit, undo or answer again,
 * change it and call lfm_conversation_answer(): what the session holds of it already isn't evaluated again. */
typedef struct lfm_conversation lfm_conversation;

LFM_API lfm_code lfm_conversation_new(lfm_conversation** conversation, lfm_error* error);
LFM_API lfm_code lfm_conversation_copy(const lfm_conversation* conversation, lfm_conversation** copy, lfm_error* error);
LFM_API void lfm_conversation_free(lfm_conversation* conversation);

/* A JSON array of messages, as lfm/chat.h has it. LFM_FORMAT with the offset, or with the field and the message as
 * index. */
LFM_API lfm_code lfm_conversation_from_json(const char* json, size_t bytes, lfm_conversation** conversation,
                                            lfm_error* error);

/* Copies the message behind the others, or in the place of message i; what it points to may go. */
LFM_API lfm_code lfm_conversation_add(lfm_conversation* conversation, const lfm_message* message, lfm_error* error);
LFM_API lfm_code lfm_conversation_set(lfm_conversation* conversation, size_t i, const lfm_message* message,
                                      lfm_error* error);

/* Takes out `count` messages from message `first` on; LFM_ARGUMENT where there aren't so many. */
LFM_API lfm_code lfm_conversation_erase(lfm_conversation* conversation, size_t first, size_t count, lfm_error* error);

/* All of them; valid until the conversation is changed or freed. */
LFM_API const lfm_message* lfm_conversation_messages(const lfm_conversation* conversation, size_t* count);

/* As lfm_chat_answer(); the answer becomes the last message, in the place of the one that is continued with
 * continue_last, unless nothing of it came. finish, prompt: may be NULL. */
LFM_API lfm_code lfm_conversation_answer(lfm_conversation* conversation, const lfm_chat* chat, lfm_session* session,
                                         const lfm_generate_options* options, lfm_piece_callback callback, void* user,
                                         lfm_finish* finish, lfm_sync_info* prompt, lfm_error* error);

#ifdef __cplusplus
}
#endif

#endif
