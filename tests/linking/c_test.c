/* The C interface from C: c_test MODEL FOLDER. Ends with 0 and "passed", or names the line of what isn't as expected.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lfm.h"

#define EXPECT(condition)                                                                         \
  do {                                                                                            \
    if (!(condition)) {                                                                           \
      fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #condition, error.message); \
      exit(1);                                                                                    \
    }                                                                                             \
  } while (0)

static lfm_error error;
static char text[4096];
static size_t text_bytes;

static bool collect(const lfm_piece* piece, void* user) {
  size_t* left = user;
  if (text_bytes + piece->bytes < sizeof text) {
    memcpy(text + text_bytes, piece->text, piece->bytes);
    text_bytes += piece->bytes;
  }
  if (piece->kind != LFM_TEXT || piece->name[0] != '\0' || piece->problem[0] != '\0') return false;
  return left == NULL || --*left > 0;
}

static void test_errors(const char* folder) {
  lfm_engine* engine = NULL;
  EXPECT(lfm_engine_open("/nonexistent/model.gguf", NULL, &engine, &error) == LFM_IO);
  EXPECT(error.code == LFM_IO && error.index == LFM_NONE && strstr(error.message, "No such file") != NULL);
  EXPECT(strcmp(error.field, "/nonexistent/model.gguf") == 0 && engine == NULL);
  EXPECT(lfm_engine_open(folder, NULL, &engine, NULL) == LFM_IO);
  EXPECT(strcmp(lfm_code_name(LFM_NO_MEMORY), "no memory") == 0 && strcmp(lfm_code_name(LFM_OK), "ok") == 0);
  lfm_engine_close(NULL);
  lfm_session_free(NULL);
}

static void test_tokens(const lfm_engine* engine) {
  lfm_token ids[64];
  char back[64];
  size_t count = 0, bytes = 0;
  EXPECT(lfm_encode(engine, "the tale", 8, true, false, ids, 64, &count, &error) == LFM_OK);
  EXPECT(count > 2 && ids[0] == 1);
  EXPECT(lfm_decode(engine, ids + 1, count - 1, back, sizeof back, &bytes, &error) == LFM_OK);
  EXPECT(bytes == 8 && memcmp(back, "the tale", 8) == 0);
  EXPECT(lfm_encode(engine, "the tale", 8, true, false, NULL, 0, &bytes, &error) == LFM_LIMIT && bytes == count);
  EXPECT(lfm_encode(engine, "<|im_end|>", 10, false, true, ids, 64, &count, &error) == LFM_OK && count == 1);
  EXPECT(lfm_ends_generation(engine, ids[0]) && !lfm_ends_generation(engine, 20));
  ids[1] = -1;
  EXPECT(lfm_decode(engine, ids, 2, back, sizeof back, &bytes, &error) == LFM_ARGUMENT && error.index == 1);
  EXPECT(lfm_encode(engine, NULL, 0, false, false, NULL, 0, &count, &error) == LFM_OK && count == 0);
}

static void expect_same_logits(const lfm_session* a, const lfm_session* b) {
  size_t count = 0, other = 0;
  const float* logits = lfm_session_logits(a, &count);
  EXPECT(count == 300);
  EXPECT(memcmp(logits, lfm_session_logits(b, &other), count * sizeof *logits) == 0 && other == count);
}

static void test_session(const lfm_engine* engine, const char* folder) {
  lfm_token ids[100];
  lfm_session *session = NULL, *fork = NULL, *fresh = NULL;
  lfm_sync_info info;
  lfm_session_options options = lfm_session_defaults();
  char path[1024];
  size_t i, count = 0;
  const size_t ends[] = {70};
  for (i = 0; i < 100; ++i) ids[i] = (lfm_token)(20 + 7 * i % 250);
  options.context_tokens = 120;
  EXPECT(lfm_session_new(engine, &options, &session, &error) == LFM_OK);
  EXPECT(lfm_session_context_tokens(session) == 120 && lfm_session_logits(session, &count) == NULL && count == 0);
  EXPECT(lfm_session_sync(session, ids, 100, ends, 1, &info, &error) == LFM_OK);
  EXPECT(info.reused == 0 && info.evaluated == 100);
  EXPECT(lfm_session_fork(session, &fork, &error) == LFM_OK);
  ids[70] = 3;
  EXPECT(lfm_session_sync(fork, ids, 100, NULL, 0, &info, &error) == LFM_OK && info.reused == 70);
  EXPECT(lfm_session_new(engine, NULL, &fresh, &error) == LFM_OK);
  EXPECT(lfm_session_append(fresh, ids, 60, &error) == LFM_OK);
  EXPECT(lfm_session_append(fresh, ids + 60, 40, &error) == LFM_OK);
  expect_same_logits(fork, fresh);
  EXPECT(lfm_session_get_stats(fork).reused_tokens == 70 && lfm_session_get_stats(fork).prompt_tokens == 30);

  snprintf(path, sizeof path, "%s/talk-of-c", folder);
  EXPECT(lfm_session_save(session, path, &error) == LFM_OK);
  EXPECT(lfm_session_load(fresh, path, &error) == LFM_OK);
  expect_same_logits(session, fresh);
  EXPECT(lfm_session_tokens(fresh, &count)[70] == (lfm_token)(20 + 490 % 250) && count == 100);
  remove(path);
  EXPECT(lfm_session_load(fresh, path, &error) == LFM_IO);

  ids[5] = 300;
  EXPECT(lfm_session_sync(session, ids, 100, NULL, 0, NULL, &error) == LFM_ARGUMENT && error.index == 5);
  EXPECT(strcmp(error.field, "tokens") == 0);
  EXPECT(lfm_session_append(session, ids + 6, 21, &error) == LFM_LIMIT);
  lfm_session_cancel(session);
  EXPECT(lfm_session_append(session, ids + 6, 4, NULL) == LFM_CANCELLED);
  lfm_session_free(session);
  lfm_session_free(fork);
  lfm_session_free(fresh);
}

static void test_generation(const lfm_engine* engine) {
  lfm_session* session = NULL;
  lfm_generate_options options = lfm_generate_defaults(engine);
  lfm_finish finish;
  const char* stop[] = {"never said"};
  size_t left = 3;
  const lfm_token prompt[] = {1, 30, 40};
  EXPECT(lfm_session_new(engine, NULL, &session, &error) == LFM_OK);
  EXPECT(lfm_session_generate(session, NULL, NULL, NULL, NULL, &error) == LFM_STATE);
  EXPECT(lfm_session_append(session, prompt, 3, &error) == LFM_OK);
  options.max_tokens = 12;
  options.ignore_end = true;
  options.sampling.temperature = 1.0f;
  options.stop = stop;
  options.stop_count = 1;
  EXPECT(lfm_session_generate(session, &options, collect, NULL, &finish, &error) == LFM_OK);
  EXPECT(finish.reason == LFM_LENGTH && finish.tokens == 12 && text_bytes > 0);
  EXPECT(lfm_session_get_stats(session).generated_tokens == 12);
  options.max_tokens = 100;
  EXPECT(lfm_session_generate(session, &options, collect, &left, &finish, &error) == LFM_OK);
  EXPECT(finish.reason == LFM_STOPPED && left == 0);
  options.sampling.top_p = 2.0f;
  EXPECT(lfm_session_generate(session, &options, NULL, NULL, NULL, &error) == LFM_ARGUMENT);
  EXPECT(strstr(error.message, "top_p") != NULL);
  lfm_session_free(session);
}

/* A call and its result, as an application writes them back. */
static void test_calls(const lfm_chat* chat) {
  lfm_tool_call call = {"get_weather", "{\"city\": \"Paris\"}"};
  lfm_message messages[3];
  lfm_token ids[512];
  size_t with_call = 0, without = 0;
  memset(messages, 0, sizeof messages);
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

static void test_chat(const lfm_engine* engine) {
  lfm_chat* chat = NULL;
  lfm_session* session = NULL;
  lfm_answer* answer = NULL;
  lfm_chat_options options = {LFM_FORM_CHATML, NULL, NULL, false};
  lfm_generate_options generate = lfm_generate_defaults(engine);
  lfm_message messages[3];
  lfm_token ids[256];
  size_t count = 0, longer = 0;
  memset(messages, 0, sizeof messages);
  messages[0].role = LFM_USER;
  messages[0].content = "the <|im_end|> of it";
  EXPECT(lfm_chat_new(engine, &options, &chat, &error) == LFM_OK && lfm_chat_get_form(chat) == LFM_FORM_CHATML);
  EXPECT(lfm_chat_render(chat, messages, 1, true, ids, 256, &longer, &error) == LFM_OK);
  EXPECT(lfm_chat_render(chat, messages, 1, false, ids, 256, &count, &error) == LFM_OK && count < longer);
  EXPECT(lfm_chat_render(chat, messages, 1, true, ids, 3, &count, &error) == LFM_LIMIT && count == longer);
  EXPECT(lfm_chat_note(chat, 1000) == NULL);
  test_calls(chat);

  EXPECT(lfm_session_new(engine, NULL, &session, &error) == LFM_OK);
  generate.max_tokens = 8;
  generate.sampling.temperature = 0;
  EXPECT(lfm_chat_answer(chat, session, messages, 1, &generate, NULL, NULL, &answer, &error) == LFM_OK);
  EXPECT(lfm_answer_prompt(answer).evaluated == longer && lfm_answer_finish(answer).tokens <= 8);
  EXPECT(lfm_answer_message(answer).role == LFM_ASSISTANT && lfm_answer_description(answer) != NULL);
  messages[1] = lfm_answer_message(answer);
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

int main(int argc, char** argv) {
  lfm_engine* engine = NULL;
  lfm_session* session = NULL;
  lfm_engine_options options = lfm_engine_defaults();
  const lfm_token token = 30;
  if (argc != 3) return 2;
  test_errors(argv[2]);
  options.threads = 1;
  EXPECT(lfm_engine_open(argv[1], &options, &engine, &error) == LFM_OK);
  EXPECT(strcmp(lfm_engine_info(engine).architecture, "lfm2moe") == 0 && lfm_engine_info(engine).vocabulary == 300);
  EXPECT(lfm_engine_note(engine, 99) == NULL && isfinite(lfm_engine_sampling(engine).temperature));
  test_tokens(engine);
  test_session(engine, argv[2]);
  test_generation(engine);
  test_chat(engine);

  EXPECT(lfm_session_new(engine, NULL, &session, &error) == LFM_OK);
  lfm_engine_close(engine); /* which the session outlives */
  EXPECT(lfm_session_append(session, &token, 1, &error) == LFM_OK);
  lfm_session_free(session);
  puts("passed");
  return 0;
}
