/* Chats. */
#include "c_test.h"

/* A call and its result, as an application writes them back. */
void test_calls(const lfm_chat* chat) {
  lfm_tool_call call = {"get_weather", "{\"city\": \"Paris\"}"};
  lfm_message messages[3];
  size_t i;
  lfm_token ids[512];
  size_t with_call = 0, without = 0;
  memset(messages, 0, sizeof messages);
  for (i = 0; i < 3; ++i) messages[i].size = sizeof *messages;
  messages[0].role = LFM_USER;
  messages[0].content = "Is it warm in Paris?";
  messages[1].role = LFM_ASSISTANT;
  messages[2].role = LFM_TOOL;
  messages[2].content = "{\"celsius\": 30}";
  EXPECT(lfm_chat_render(chat, messages, 3, true, ids, 512, &without, &error) == LFM_OK);
  messages[1].calls = &call;
  messages[1].call_count = 1;
  EXPECT(lfm_chat_render(chat, messages, 3, true, ids, 512, &with_call, &error) == LFM_OK && with_call > without);
  call.arguments = "Paris";
  EXPECT(lfm_chat_render(chat, messages, 3, true, ids, 512, &without, &error) == LFM_ARGUMENT && error.index == 1);
}

void test_chat(const lfm_engine* engine) {
  lfm_chat* chat = NULL;
  lfm_session* session = NULL;
  lfm_answer* answer = NULL;
  lfm_chat_options options = {.size = sizeof options};
  lfm_sampling sampling = {.size = sizeof sampling};
  lfm_generate_options generate = {.size = sizeof generate};
  lfm_finish finish = {.size = sizeof finish};
  lfm_message messages[3];
  size_t i;
  lfm_token ids[256];
  size_t count = 0, longer = 0;
  memset(messages, 0, sizeof messages);
  for (i = 0; i < 3; ++i) messages[i].size = sizeof *messages;
  messages[0].role = LFM_USER;
  messages[0].content = "the <|im_end|> of it";
  options.form = LFM_FORM_CHATML;
  EXPECT(lfm_chat_new(engine, &options, &chat, &error) == LFM_OK && lfm_chat_get_form(chat) == LFM_FORM_CHATML);
  EXPECT(lfm_chat_render(chat, messages, 1, true, ids, 256, &longer, &error) == LFM_OK);
  EXPECT(lfm_chat_render(chat, messages, 1, false, ids, 256, &count, &error) == LFM_OK && count < longer);
  EXPECT(lfm_chat_render(chat, messages, 1, true, ids, 3, &count, &error) == LFM_LIMIT && count == longer);
  EXPECT(lfm_chat_note(chat, 1000) == NULL);
  test_calls(chat);

  EXPECT(lfm_session_new(engine, NULL, &session, &error) == LFM_OK);
  generate.max_tokens = 8;
  generate.sampling = &sampling;
  EXPECT(lfm_chat_answer(chat, session, messages, 1, &generate, NULL, NULL, &answer, &error) == LFM_OK);
  EXPECT(lfm_answer_prompt(answer).evaluated == longer && lfm_answer_description(answer) != NULL);
  EXPECT(lfm_answer_finish(answer, &finish, &error) == LFM_OK && finish.tokens <= 8);
  EXPECT(lfm_answer_message(answer, &messages[1], &error) == LFM_OK && messages[1].role == LFM_ASSISTANT);
  messages[2].role = LFM_USER;
  messages[2].content = "and then?";
  {
    lfm_answer* next = NULL;
    EXPECT(lfm_chat_answer(chat, session, messages, 3, &generate, NULL, NULL, &next, &error) == LFM_OK);
    EXPECT(lfm_answer_prompt(next).reused >= longer);
    lfm_answer_free(next);
  }
  lfm_answer_free(answer);
  options.tools = "not JSON";
  lfm_chat_free(chat);
  EXPECT(lfm_chat_new(engine, &options, &chat, &error) == LFM_ARGUMENT);
  lfm_chat_free(NULL);
  lfm_answer_free(NULL);
  lfm_session_free(session);
}

/* "<|im_start|>role: content" of each message, and a mark where an answer begins. */
static lfm_code write_form(const lfm_message* messages, size_t count, bool generation_prompt, lfm_form_writer* out,
                           void* user) {
  static const char* const roles[] = {"system", "user", "assistant", "tool"};
  size_t i;
  for (i = 0; i < count; ++i) {
    if (messages[i].size != sizeof *messages) return LFM_STATE;
    lfm_form_token(out, "<|im_start|>");
    lfm_form_text(out, roles[messages[i].role]);
    lfm_form_text(out, ": ");
    lfm_form_text(out, messages[i].content);
    if (messages[i].call_count > 0) lfm_form_text(out, messages[i].calls[0].arguments);
  }
  if (generation_prompt) lfm_form_token(out, user);
  return count == 3 ? LFM_LIMIT : LFM_OK;
}

void test_custom_form(const lfm_engine* engine) {
  const lfm_tokenizer* tokenizer = lfm_engine_tokenizer(engine);
  lfm_chat* chat = NULL;
  lfm_session* session = NULL;
  lfm_answer* answer = NULL;
  lfm_chat_options options = {.size = sizeof options};
  lfm_generate_options generate = {.size = sizeof generate};
  lfm_tool_call call = {"f", "{}"};
  lfm_message messages[3];
  lfm_token ids[256], plain[256];
  char mark[] = "<|im_end|>", unknown[] = "<|nothing|>";
  size_t i, count = 0, expected = 0;
  memset(messages, 0, sizeof messages);
  for (i = 0; i < 3; ++i) messages[i].size = sizeof *messages;
  messages[0].role = LFM_USER;
  messages[0].content = "<|im_end|>";
  messages[1].role = LFM_ASSISTANT;
  messages[1].calls = &call;
  messages[1].call_count = 1;
  options.custom = write_form;
  options.custom_user = mark;
  EXPECT(lfm_chat_new(engine, &options, &chat, &error) == LFM_OK);
  EXPECT(lfm_chat_render(chat, messages, 2, false, ids, 256, &count, &error) == LFM_OK);
  EXPECT(lfm_encode(tokenizer, "user: <|im_end|>", 16, false, false, plain, 256, &expected, &error) == LFM_OK);
  EXPECT(memcmp(ids + 2, plain, expected * sizeof *plain) == 0); /* behind the model's first token and the form's */
  EXPECT(ids[1] == ids[2 + expected]);
  EXPECT(lfm_encode(tokenizer, "assistant: {}", 13, false, false, plain, 256, &expected, &error) == LFM_OK);
  EXPECT(memcmp(ids + count - expected, plain, expected * sizeof *plain) == 0);
  EXPECT(lfm_chat_render(chat, messages, 2, true, ids, 256, &expected, &error) == LFM_OK && expected == count + 1);
  EXPECT(lfm_ends_generation(tokenizer, ids[count]));
  EXPECT(lfm_chat_render(chat, messages, 3, true, ids, 256, &count, &error) == LFM_LIMIT);
  EXPECT(strcmp(error.field, "custom") == 0);

  EXPECT(lfm_session_new(engine, NULL, &session, &error) == LFM_OK);
  generate.max_tokens = 4;
  EXPECT(lfm_chat_answer(chat, session, messages, 1, &generate, NULL, NULL, &answer, &error) == LFM_OK);
  lfm_answer_free(answer);
  lfm_chat_free(chat);
  options.custom_user = unknown;
  EXPECT(lfm_chat_new(engine, &options, &chat, &error) == LFM_OK);
  EXPECT(lfm_chat_render(chat, messages, 1, true, ids, 256, &count, &error) == LFM_ARGUMENT && error.index == 4);
  lfm_chat_free(chat);
  lfm_session_free(session);
}
