/* Pools of sessions. */
#include "c_test.h"

void test_pool(const lfm_engine* engine, const char* folder) {
  lfm_pool* pool = NULL;
  lfm_chat* chat = NULL;
  lfm_session* session = NULL;
  lfm_answer* answer = NULL;
  lfm_conversation* conversation = NULL;
  lfm_pool_options options = {.size = sizeof options};
  lfm_generate_options generate = {.size = sizeof generate};
  lfm_sampling likeliest = {.size = sizeof likeliest};  /* what any token spells may be no text of C's */
  lfm_chat_options form = {.size = sizeof form, .form = LFM_FORM_LFM2, .date = "2026-11-28"};
  lfm_pool_stats stats = {.size = sizeof stats};
  lfm_message messages[3], said = {.size = sizeof said};
  lfm_token ids[200];
  char date[16], path[512];
  size_t i, count = 0, states = 0, left_out = 7;
  for (i = 0; i < 200; ++i) ids[i] = (lfm_token)(20 + i % 50);
  memset(messages, 0, sizeof messages);
  for (i = 0; i < 3; ++i) messages[i].size = sizeof *messages;

  EXPECT(lfm_pool_new(NULL, NULL, &pool, &error) == LFM_ARGUMENT && strcmp(error.field, "engine") == 0);
  options.context_tokens = 512;
  options.bytes = 100 << 20;
  EXPECT(lfm_pool_new(engine, &options, &pool, &error) == LFM_OK);
  EXPECT(lfm_pool_take(pool, ids, 200, NULL, &error) == LFM_ARGUMENT && strcmp(error.field, "session") == 0);
  EXPECT(lfm_pool_take(pool, ids, 200, &session, &error) == LFM_OK);
  EXPECT(lfm_session_context_tokens(session) == 512 && lfm_session_tokens(session, &count) != ids && count == 0);
  EXPECT(lfm_session_sync(session, ids, 200, NULL, NULL, &error) == LFM_OK);
  EXPECT(lfm_pool_keep_beginning(pool, session, 100, &error) == LFM_OK);
  EXPECT(lfm_pool_keep(pool, session, &error) == LFM_OK);
  lfm_session_free(session);
  ids[150] = 3;
  EXPECT(lfm_pool_take(pool, ids, 200, &session, &error) == LFM_OK);
  lfm_session_tokens(session, &count);
  EXPECT(count == 128);
  lfm_session_free(session);
  EXPECT(lfm_pool_get_stats(pool, &stats, &error) == LFM_OK);
  EXPECT(stats.states == 2 && stats.taken == 2 && stats.taken_tokens == 128 && stats.most_bytes == 100 << 20);

  messages[0].role = LFM_USER;
  messages[0].content = "Why?";
  EXPECT(lfm_chat_new(engine, &form, &chat, &error) == LFM_OK);
  generate.sampling = &likeliest;
  generate.max_tokens = 5;
  EXPECT(lfm_pool_answer(pool, chat, messages, 1, &generate, NULL, NULL, &answer, &error) == LFM_OK);
  EXPECT(lfm_answer_message(answer, &said, &error) == LFM_OK);
  if (said.token_count > 0) {
    messages[1].role = LFM_ASSISTANT;
    messages[1].content = said.content;
    EXPECT(lfm_pool_date(pool, messages, 2, date, sizeof date, &count, &error) == LFM_OK && count == 10);
    EXPECT(memcmp(date, "2026-11-28", 10) == 0);
  }
  EXPECT(lfm_pool_date(pool, messages, 1, date, sizeof date, &count, &error) == LFM_OK && count == 0);
  lfm_answer_free(answer);

  messages[0].content = "And?";
  said = messages[1];
  said.role = LFM_ASSISTANT;
  said.content = "So.";
  said.reasoning = "Hm.";
  EXPECT(lfm_pool_remember(pool, chat, messages, 1, &said, &error) == LFM_OK);
  EXPECT(lfm_conversation_new(&conversation, &error) == LFM_OK);
  EXPECT(lfm_conversation_add(conversation, &messages[0], &error) == LFM_OK);
  said.reasoning = NULL;
  EXPECT(lfm_conversation_add(conversation, &said, &error) == LFM_OK);
  EXPECT(lfm_pool_recall(pool, conversation, &error) == LFM_OK);
  EXPECT(strcmp(lfm_conversation_messages(conversation, &count)[1].reasoning, "Hm.") == 0 && count == 2);
  lfm_conversation_free(conversation);

  snprintf(path, sizeof path, "%s/c_pool", folder);
  EXPECT(lfm_pool_save(pool, path, &error) == LFM_OK);
  lfm_pool_clear(pool);
  EXPECT(lfm_pool_load(pool, path, &states, &left_out, &error) == LFM_OK && states == 2 && left_out == 0);
  lfm_pool_clear(pool);
  EXPECT(lfm_pool_save(pool, path, &error) == LFM_OK);
  lfm_pool_clear(NULL);
  lfm_pool_free(NULL);
  lfm_pool_free(pool);
  lfm_chat_free(chat);
}
