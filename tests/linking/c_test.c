/* The C interface from C: c_test MODEL FOLDER. Ends with 0 and "passed", or names the line of what isn't as expected.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lfm/c.h"

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
  EXPECT(lfm_abi_version() == LFM_ABI_VERSION);
  EXPECT(strcmp(lfm_code_name(LFM_NO_MEMORY), "no memory") == 0 && strcmp(lfm_code_name(LFM_OK), "ok") == 0);
  lfm_engine_close(NULL);
  lfm_session_free(NULL);
}

static void expect_null(lfm_code code, const char* argument) {
  EXPECT(code == LFM_ARGUMENT && strcmp(error.field, argument) == 0 && strstr(error.message, "NULL") != NULL);
}

static void test_nulls(const lfm_engine* engine) {
  lfm_engine* opened = NULL;
  lfm_session* session = NULL;
  lfm_chat* chat = NULL;
  lfm_answer* answer = NULL;
  lfm_token id = 30;
  size_t count = 7;
  lfm_message message = {.size = sizeof message};
  lfm_generate_options options = {.size = sizeof options};
  const char* stop[] = {NULL};
  expect_null(lfm_engine_open(NULL, NULL, &opened, &error), "path");
  expect_null(lfm_engine_open("x", NULL, NULL, &error), "engine");
  EXPECT(lfm_engine_open(NULL, NULL, NULL, NULL) == LFM_ARGUMENT);
  expect_null(lfm_session_new(NULL, NULL, &session, &error), "engine");
  expect_null(lfm_session_new(engine, NULL, NULL, &error), "session");
  expect_null(lfm_encode(NULL, "a", 1, true, false, &id, 1, &count, &error), "engine");
  expect_null(lfm_encode(engine, NULL, 1, true, false, &id, 1, &count, &error), "text");
  expect_null(lfm_encode(engine, "a", 1, true, false, NULL, 1, &count, &error), "tokens");
  expect_null(lfm_encode(engine, "a", 1, true, false, &id, 1, NULL, &error), "count");
  expect_null(lfm_decode(engine, NULL, 1, NULL, 0, &count, &error), "tokens");
  expect_null(lfm_session_append(NULL, &id, 1, &error), "session");
  expect_null(lfm_session_save(NULL, "x", &error), "session");
  expect_null(lfm_session_generate(NULL, NULL, NULL, NULL, NULL, &error), "session");
  expect_null(lfm_engine_info(engine, NULL, &error), "info");
  expect_null(lfm_engine_sampling(engine, NULL, &error), "sampling");
  expect_null(lfm_cancel_new(NULL, &error), "cancel");
  expect_null(lfm_chat_new(engine, NULL, NULL, &error), "chat");
  EXPECT(lfm_session_new(engine, NULL, &session, &error) == LFM_OK);
  EXPECT(lfm_chat_new(engine, NULL, &chat, &error) == LFM_OK);
  expect_null(lfm_session_append(session, NULL, 1, &error), "tokens");
  expect_null(lfm_session_load(session, NULL, &error), "path");
  expect_null(lfm_session_fork(session, NULL, &error), "fork");
  expect_null(lfm_chat_answer(chat, session, NULL, 1, NULL, NULL, NULL, &answer, &error), "messages");
  expect_null(lfm_chat_answer(chat, NULL, &message, 1, NULL, NULL, NULL, &answer, &error), "session");
  expect_null(lfm_chat_answer(chat, session, &message, 1, NULL, NULL, NULL, NULL, &error), "answer");
  options.stop = stop;
  options.stop_count = 1;
  expect_null(lfm_session_generate(session, &options, NULL, NULL, NULL, &error), "stop");
  EXPECT(lfm_session_tokens(NULL, &count) == NULL && count == 0 && lfm_session_context_tokens(NULL) == 0);
  EXPECT(lfm_engine_note(NULL, 0) == NULL && lfm_chat_note(NULL, 0) == NULL && !lfm_ends_generation(NULL, 7));
  lfm_session_cancel(NULL);
  lfm_cancel_request(NULL);
  lfm_cancel_free(NULL);
  lfm_session_free(session);
  lfm_chat_free(chat);
}

/* Structs of an application that knows more fields than the library, and of one that forgot the size. */
static void test_sizes(const lfm_engine* engine) {
  struct {
    lfm_session_options known;
    uint64_t more;
  } newer;
  struct {
    lfm_session_stats known;
    uint64_t more;
  } stats;
  lfm_session* session = NULL;
  lfm_finish finish = {0};
  lfm_session_options unset = {0};
  memset(&newer, 0, sizeof newer);
  newer.known.size = sizeof newer;
  newer.known.context_tokens = 50;
  EXPECT(lfm_session_new(engine, &newer.known, &session, &error) == LFM_OK);
  EXPECT(lfm_session_context_tokens(session) == 50);
  memset(&stats, 1, sizeof stats);
  stats.known.size = sizeof stats;
  EXPECT(lfm_session_get_stats(session, &stats.known, &error) == LFM_OK);
  EXPECT(stats.known.size == sizeof stats && stats.known.prompt_tokens == 0 && stats.more == 0);
  lfm_session_free(session);
  session = NULL;
  newer.more = 1;
  EXPECT(lfm_session_new(engine, &newer.known, &session, &error) == LFM_UNSUPPORTED && session == NULL);
  EXPECT(strcmp(error.field, "options") == 0);
  EXPECT(lfm_session_new(engine, &unset, &session, &error) == LFM_ARGUMENT && session == NULL);
  EXPECT(strstr(error.message, "size") != NULL);
  EXPECT(lfm_session_new(engine, NULL, &session, &error) == LFM_OK);
  EXPECT(lfm_session_generate(session, NULL, NULL, NULL, &finish, &error) == LFM_ARGUMENT);
  EXPECT(strcmp(error.field, "finish") == 0);
  lfm_session_free(session);
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
  lfm_session_options options = {.size = sizeof options};
  lfm_sync_options ending = {.size = sizeof ending};
  lfm_session_stats stats = {.size = sizeof stats};
  char path[1024];
  size_t i, count = 0;
  const size_t ends[] = {70};
  for (i = 0; i < 100; ++i) ids[i] = (lfm_token)(20 + 7 * i % 250);
  options.context_tokens = 120;
  EXPECT(lfm_session_new(engine, &options, &session, &error) == LFM_OK);
  EXPECT(lfm_session_context_tokens(session) == 120 && lfm_session_logits(session, &count) == NULL && count == 0);
  ending.ends = ends;
  ending.end_count = 1;
  EXPECT(lfm_session_sync(session, ids, 100, &ending, &info, &error) == LFM_OK);
  EXPECT(info.reused == 0 && info.evaluated == 100);
  EXPECT(lfm_session_fork(session, &fork, &error) == LFM_OK);
  ids[70] = 3;
  EXPECT(lfm_session_sync(fork, ids, 100, NULL, &info, &error) == LFM_OK && info.reused == 70);
  EXPECT(lfm_session_new(engine, NULL, &fresh, &error) == LFM_OK);
  EXPECT(lfm_session_append(fresh, ids, 60, &error) == LFM_OK);
  EXPECT(lfm_session_append(fresh, ids + 60, 40, &error) == LFM_OK);
  expect_same_logits(fork, fresh);
  EXPECT(lfm_session_get_stats(fork, &stats, &error) == LFM_OK);
  EXPECT(stats.reused_tokens == 70 && stats.prompt_tokens == 30);

  snprintf(path, sizeof path, "%s/talk-of-c", folder);
  EXPECT(lfm_session_save(session, path, &error) == LFM_OK);
  EXPECT(lfm_session_load(fresh, path, &error) == LFM_OK);
  expect_same_logits(session, fresh);
  EXPECT(lfm_session_tokens(fresh, &count)[70] == (lfm_token)(20 + 490 % 250) && count == 100);
  remove(path);
  EXPECT(lfm_session_load(fresh, path, &error) == LFM_IO);

  ids[5] = 300;
  EXPECT(lfm_session_sync(session, ids, 100, NULL, NULL, &error) == LFM_ARGUMENT && error.index == 5);
  EXPECT(strcmp(error.field, "tokens") == 0);
  EXPECT(lfm_session_append(session, ids + 6, 21, &error) == LFM_LIMIT);
  lfm_session_cancel(session);
  EXPECT(lfm_session_append(session, ids + 6, 4, NULL) == LFM_CANCELLED);
  lfm_session_cancel(session);
  lfm_session_clear_cancel(session);
  EXPECT(lfm_session_append(session, ids + 6, 4, NULL) == LFM_OK);
  lfm_session_free(session);
  lfm_session_free(fork);
  lfm_session_free(fresh);
}

/* Says one of three tokens, eight times, and then the end. */
static lfm_code choose(const lfm_mask_query* query, void* user) {
  size_t* asked = user;
  size_t word;
  if (query->vocabulary != 300 || query->allowed_words != 10 || query->logits == NULL) return LFM_FORMAT;
  if (query->token_count < query->answer_count || query->answer_count != *asked || query->thinking) return LFM_FORMAT;
  for (word = 0; word < query->allowed_words; ++word) query->allowed[word] = 0;
  if (*asked == 8) query->allowed[0] = 1u << 7;
  if (*asked < 8) query->allowed[1] = 7u << 8;
  return ++*asked > 9 ? LFM_LIMIT : LFM_OK;
}

static bool check_logprobs(const lfm_piece* piece, void* user) {
  size_t i;
  (void)user;
  if (piece->token_count == 0 || piece->logprobs == NULL || piece->top_per_token != 2) return false;
  for (i = 0; i < piece->token_count; ++i) {
    if (piece->tokens[i] < 40 || piece->tokens[i] > 42 || !(piece->logprobs[i] <= 0)) return false;
    if (!(piece->top[2 * i].logprob >= piece->top[2 * i + 1].logprob)) return false;
    if (!(piece->top[2 * i].logprob >= piece->logprobs[i])) return false;
  }
  return true;
}

static bool never(uint64_t done, uint64_t all, void* user) {
  *(uint64_t*)user = all;
  return done > all;
}

static void test_choice(const lfm_engine* engine) {
  lfm_session* session = NULL;
  lfm_cancel* cancel = NULL;
  lfm_generate_options options = {.size = sizeof options};
  lfm_sync_options sync = {.size = sizeof sync};
  lfm_sampling sampling = {.size = sizeof sampling};
  lfm_finish finish = {.size = sizeof finish};
  lfm_logit_bias bias = {50, 1000.0f};
  lfm_token prompt[] = {1, 30, 40};
  uint64_t all = 0;
  size_t asked = 0, count = 0;
  EXPECT(lfm_session_new(engine, NULL, &session, &error) == LFM_OK);
  EXPECT(lfm_session_append(session, prompt, 3, &error) == LFM_OK);
  EXPECT(lfm_engine_sampling(engine, &sampling, &error) == LFM_OK && !sampling.seeded);
  sampling.temperature = 2.0f;
  sampling.seeded = true;
  sampling.seed = 17;
  options.sampling = &sampling;
  options.mask = choose;
  options.mask_user = &asked;
  options.logprobs = true;
  options.top_logprobs = 2;
  EXPECT(lfm_session_generate(session, &options, check_logprobs, NULL, &finish, &error) == LFM_OK);
  EXPECT(finish.reason == LFM_END && finish.tokens == 8 && finish.seed == 17);
  asked = 10;
  EXPECT(lfm_session_generate(session, &options, NULL, NULL, &finish, &error) == LFM_FORMAT);
  EXPECT(strcmp(error.field, "mask") == 0);

  options.mask = NULL;
  options.max_tokens = 2;
  memset(&sampling, 0, sizeof sampling); /* the likeliest, with a bias */
  sampling.size = sizeof sampling;
  sampling.logit_bias = &bias;
  sampling.logit_bias_count = 1;
  EXPECT(lfm_session_generate(session, &options, NULL, NULL, &finish, &error) == LFM_OK && finish.reason == LFM_LENGTH);
  EXPECT(lfm_session_tokens(session, &count)[12] == 50 && count == 13);

  EXPECT(lfm_cancel_new(&cancel, &error) == LFM_OK);
  options.cancel = cancel;
  EXPECT(lfm_session_generate(session, &options, NULL, NULL, &finish, &error) == LFM_OK && finish.tokens == 2);
  lfm_cancel_request(cancel);
  EXPECT(lfm_session_generate(session, &options, NULL, NULL, &finish, &error) == LFM_OK);
  EXPECT(finish.reason == LFM_STOPPED && finish.tokens == 0);
  sync.cancel = cancel;
  EXPECT(lfm_session_sync(session, prompt, 2, &sync, NULL, &error) == LFM_CANCELLED);
  sync.cancel = NULL;
  sync.progress = never;
  sync.progress_user = &all;
  EXPECT(lfm_session_sync(session, prompt, 3, &sync, NULL, &error) == LFM_CANCELLED && all == 3);
  lfm_cancel_free(cancel);
  lfm_session_free(session);
}

static void test_diagnostics(const lfm_engine* engine) {
  lfm_phase phases[64];
  lfm_limits limits = {.size = sizeof limits};
  size_t count = 0;
  EXPECT(lfm_engine_settle(engine, &error) == LFM_OK && lfm_engine_finish_pack_cache(engine, &error) == LFM_OK);
  EXPECT(lfm_engine_phases(engine, phases, 64, &count, &error) == LFM_OK && count > 3);
  EXPECT(strcmp(phases[0].name, "embedding") == 0 && phases[0].seconds > 0);
  EXPECT(lfm_engine_measure_limits(engine, &limits, &error) == LFM_OK && limits.read_bytes_per_second > 0);
}

static void test_generation(const lfm_engine* engine) {
  lfm_session* session = NULL;
  lfm_sampling sampling = {.size = sizeof sampling};
  lfm_session_stats stats = {.size = sizeof stats};
  lfm_generate_options options = {.size = sizeof options};
  lfm_finish finish = {.size = sizeof finish};
  const char* stop[] = {"never said"};
  size_t left = 3;
  const lfm_token prompt[] = {1, 30, 40};
  EXPECT(lfm_session_new(engine, NULL, &session, &error) == LFM_OK);
  EXPECT(lfm_session_generate(session, NULL, NULL, NULL, NULL, &error) == LFM_STATE);
  EXPECT(lfm_session_append(session, prompt, 3, &error) == LFM_OK);
  options.max_tokens = 12;
  options.ignore_end = true;
  sampling.temperature = 1.0f;
  options.sampling = &sampling;
  options.stop = stop;
  options.stop_count = 1;
  EXPECT(lfm_session_generate(session, &options, collect, NULL, &finish, &error) == LFM_OK);
  EXPECT(finish.reason == LFM_LENGTH && finish.tokens == 12 && text_bytes > 0);
  EXPECT(lfm_session_get_stats(session, &stats, &error) == LFM_OK && stats.generated_tokens == 12);
  options.max_tokens = 100;
  EXPECT(lfm_session_generate(session, &options, collect, &left, &finish, &error) == LFM_OK);
  EXPECT(finish.reason == LFM_STOPPED && left == 0);
  sampling.top_p = 2.0f;
  EXPECT(lfm_session_generate(session, &options, NULL, NULL, NULL, &error) == LFM_ARGUMENT);
  EXPECT(strstr(error.message, "top_p") != NULL);
  lfm_session_free(session);
}

/* A call and its result, as an application writes them back. */
static void test_calls(const lfm_chat* chat) {
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

static void test_chat(const lfm_engine* engine) {
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

int main(int argc, char** argv) {
  lfm_engine* engine = NULL;
  lfm_session* session = NULL;
  lfm_engine_options options = {.size = sizeof options};
  lfm_model_info info = {.size = sizeof info};
  const lfm_token token = 30;
  if (argc != 3) return 2;
  test_errors(argv[2]);
  options.threads = 1;
  EXPECT(lfm_engine_open(argv[1], &options, &engine, &error) == LFM_OK);
  EXPECT(lfm_engine_info(engine, &info, &error) == LFM_OK && info.size == sizeof info);
  EXPECT(strcmp(info.architecture, "lfm2moe") == 0 && info.vocabulary == 300 && lfm_engine_note(engine, 99) == NULL);
  test_nulls(engine);
  test_sizes(engine);
  test_tokens(engine);
  test_session(engine, argv[2]);
  test_generation(engine);
  test_choice(engine);
  test_diagnostics(engine);
  test_chat(engine);

  EXPECT(lfm_session_new(engine, NULL, &session, &error) == LFM_OK);
  lfm_engine_close(engine); /* which the session outlives */
  EXPECT(lfm_session_append(session, &token, 1, &error) == LFM_OK);
  lfm_session_free(session);
  puts("passed");
  return 0;
}
