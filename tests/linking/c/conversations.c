/* Conversations that keep their messages. */
#include "c_test.h"

static lfm_message message_of(lfm_role role, const char* content) {
  lfm_message message = {.size = sizeof message};
  message.role = role;
  message.content = content;
  return message;
}

static void test_json(const lfm_conversation* conversation) {
  lfm_conversation* back = NULL;
  size_t count = 0, bytes = 0, again = 0, i;
  char json[4096], second[4096];
  const lfm_message* messages = lfm_conversation_messages(conversation, &count);
  EXPECT(lfm_messages_to_json(messages, count, NULL, 0, &bytes, &error) == LFM_OK && bytes < sizeof json);
  EXPECT(lfm_messages_to_json(messages, count, json, bytes - 1, &bytes, &error) == LFM_LIMIT);
  EXPECT(lfm_messages_to_json(messages, count, json, sizeof json, &bytes, &error) == LFM_OK);
  EXPECT(lfm_conversation_from_json(json, bytes, &back, &error) == LFM_OK);
  messages = lfm_conversation_messages(back, &again);
  EXPECT(again == count);
  for (i = 0; i < count; ++i) EXPECT(messages[i].size == sizeof *messages);
  EXPECT(lfm_messages_to_json(messages, count, second, sizeof second, &again, &error) == LFM_OK);
  EXPECT(again == bytes && memcmp(json, second, bytes) == 0);
  lfm_conversation_free(back);
  EXPECT(lfm_conversation_from_json("[{\"role\": \"nobody\"}]", 20, &back, &error) == LFM_FORMAT);
  EXPECT(lfm_conversation_from_json("[{\"role\": \"user\"}, {\"role\": 1}]", 31, &back, &error) == LFM_FORMAT);
  EXPECT(error.index == 1 && strcmp(error.field, "role") == 0);
}

void test_conversation(const lfm_engine* engine) {
  lfm_conversation *conversation = NULL, *copy = NULL;
  lfm_chat* chat = NULL;
  lfm_session* session = NULL;
  lfm_generate_options generate = {.size = sizeof generate};
  lfm_sampling sampling = {.size = sizeof sampling};
  lfm_finish finish = {.size = sizeof finish};
  lfm_sync_info prompt;
  const lfm_message* messages;
  lfm_message message;
  lfm_tool_call call = {"get_weather", "{\"city\": \"Paris\"}"};
  char content[] = "Is it warm?", text[1024], whole[1024];
  size_t count = 0, bytes = 0, drop = 7;
  EXPECT(lfm_chat_new(engine, NULL, &chat, &error) == LFM_OK);
  EXPECT(lfm_session_new(engine, NULL, &session, &error) == LFM_OK);
  EXPECT(lfm_conversation_new(&conversation, &error) == LFM_OK);
  EXPECT(lfm_conversation_answer(conversation, chat, session, NULL, NULL, NULL, NULL, NULL, &error) == LFM_ARGUMENT);
  message = message_of(LFM_USER, content);
  EXPECT(lfm_conversation_add(conversation, &message, &error) == LFM_OK);
  memset(content, 'x', sizeof content - 1); /* which it has a copy of */

  generate.sampling = &sampling;
  generate.ignore_end = true;
  generate.max_tokens = 12;
  EXPECT(lfm_conversation_copy(conversation, &copy, &error) == LFM_OK);
  EXPECT(lfm_conversation_answer(copy, chat, session, &generate, NULL, NULL, &finish, &prompt, &error) == LFM_OK);
  EXPECT(finish.tokens == 12 && prompt.evaluated > 0);
  messages = lfm_conversation_messages(copy, &count);
  EXPECT(count == 2 && messages[1].role == LFM_ASSISTANT && strcmp(messages[0].content, "Is it warm?") == 0);
  EXPECT(messages[1].token_count == 12 && strlen(messages[1].content) < sizeof whole);
  strcpy(whole, messages[1].content);
  test_json(copy);

  /* The same in two parts. */
  generate.max_tokens = 5;
  EXPECT(lfm_conversation_answer(conversation, chat, session, &generate, NULL, NULL, NULL, NULL, &error) == LFM_OK);
  generate.max_tokens = 7;
  generate.continue_last = true;
  EXPECT(lfm_conversation_answer(conversation, chat, session, &generate, NULL, NULL, &finish, NULL, &error) == LFM_OK);
  messages = lfm_conversation_messages(conversation, &count);
  EXPECT(count == 2 && messages[1].token_count == 12 && strcmp(messages[1].content, whole) == 0);
  EXPECT(lfm_finish_describe(&finish, text, sizeof text, &bytes, &error) == LFM_OK);
  EXPECT(bytes > 0 && memcmp(text, "7 tokens: max_tokens is reached", bytes) == 0);

  message = message_of(LFM_ASSISTANT, "");
  message.calls = &call;
  message.call_count = 1;
  EXPECT(lfm_conversation_set(conversation, 2, &message, &error) == LFM_ARGUMENT && error.index == 2);
  EXPECT(lfm_conversation_set(conversation, 1, &message, &error) == LFM_OK);
  message = message_of(LFM_USER, "And tomorrow?");
  EXPECT(lfm_conversation_add(conversation, &message, &error) == LFM_OK);
  messages = lfm_conversation_messages(conversation, &count);
  EXPECT(count == 3 && messages[1].call_count == 1 && strcmp(messages[1].calls[0].name, "get_weather") == 0);
  EXPECT(lfm_chat_render_text(chat, messages, count, true, text, sizeof text, &bytes, &error) == LFM_OK);
  text[bytes] = 0;
  EXPECT(strstr(text, "get_weather(city='Paris')") != NULL && strstr(text, "And tomorrow?<|im_end|>") != NULL);
  EXPECT(lfm_chat_fit(chat, messages, count, 1000, &drop, &error) == LFM_OK && drop == 0);
  EXPECT(lfm_chat_render(chat, messages, count, true, NULL, 0, &bytes, &error) == LFM_OK);
  EXPECT(lfm_chat_fit(chat, messages, count, bytes - 1, &drop, &error) == LFM_OK && drop == 2);
  EXPECT(lfm_chat_fit(chat, messages, count, 3, &drop, &error) == LFM_LIMIT && error.limit == 3 && error.have > 3);
  EXPECT(lfm_conversation_answer(conversation, chat, session, &generate, NULL, NULL, NULL, NULL, &error) ==
         LFM_ARGUMENT); /* the user's */
  EXPECT(strcmp(error.field, "continue_last") == 0);
  EXPECT(lfm_conversation_erase(conversation, 2, 2, &error) == LFM_ARGUMENT);
  EXPECT(lfm_conversation_erase(conversation, 1, 2, &error) == LFM_OK);
  EXPECT(lfm_conversation_messages(conversation, &count) != NULL && count == 1);

  lfm_conversation_free(copy);
  lfm_conversation_free(conversation);
  lfm_session_free(session);
  lfm_chat_free(chat);
}
