/* Errors, NULLs, and sizes of structs. */
#include "c_test.h"

void test_errors(const char* folder) {
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

void test_nulls(const lfm_engine* engine) {
  lfm_engine* opened = NULL;
  lfm_session* session = NULL;
  lfm_chat* chat = NULL;
  lfm_answer* answer = NULL;
  lfm_token id = 30;
  size_t count = 7;
  lfm_message message = {.size = sizeof message};
  lfm_generate_options options = {.size = sizeof options};
  lfm_description* description = NULL;
  lfm_constraint* constraint = NULL;
  lfm_tokenizer* tokenizer = NULL;
  lfm_conversation* conversation = NULL;
  lfm_model_info info = {.size = sizeof info};
  lfm_tensor tensor = {.size = sizeof tensor};
  bool allowed = false;
  const char* stop[] = {NULL};
  expect_null(lfm_engine_open(NULL, NULL, &opened, &error), "path");
  expect_null(lfm_engine_open("x", NULL, NULL, &error), "engine");
  EXPECT(lfm_engine_open(NULL, NULL, NULL, NULL) == LFM_ARGUMENT);
  expect_null(lfm_session_new(NULL, NULL, &session, &error), "engine");
  expect_null(lfm_session_new(engine, NULL, NULL, &error), "session");
  expect_null(lfm_encode(NULL, "a", 1, true, false, &id, 1, &count, &error), "tokenizer");
  expect_null(lfm_encode(lfm_engine_tokenizer(engine), NULL, 1, true, false, &id, 1, &count, &error), "text");
  expect_null(lfm_encode(lfm_engine_tokenizer(engine), "a", 1, true, false, NULL, 1, &count, &error), "tokens");
  expect_null(lfm_encode(lfm_engine_tokenizer(engine), "a", 1, true, false, &id, 1, NULL, &error), "count");
  expect_null(lfm_decode(lfm_engine_tokenizer(engine), NULL, 1, NULL, 0, &count, &error), "tokens");
  expect_null(lfm_tokenizer_open(NULL, &tokenizer, &error), "path");
  expect_null(lfm_tokenizer_open("x", NULL, &error), "tokenizer");
  expect_null(lfm_finish_describe(NULL, NULL, 0, &count, &error), "finish");
  expect_null(lfm_chat_fit(NULL, NULL, 0, 1, &count, &error), "chat");
  expect_null(lfm_chat_render_text(NULL, NULL, 0, true, NULL, 0, &count, &error), "chat");
  expect_null(lfm_messages_to_json(NULL, 1, NULL, 0, &count, &error), "messages");
  expect_null(lfm_messages_to_json(NULL, 0, NULL, 0, NULL, &error), "bytes");
  expect_null(lfm_conversation_new(NULL, &error), "conversation");
  expect_null(lfm_conversation_copy(NULL, &conversation, &error), "conversation");
  expect_null(lfm_conversation_from_json(NULL, 1, &conversation, &error), "json");
  expect_null(lfm_conversation_add(NULL, &message, &error), "conversation");
  expect_null(lfm_conversation_set(NULL, 0, &message, &error), "conversation");
  expect_null(lfm_conversation_erase(NULL, 0, 0, &error), "conversation");
  expect_null(lfm_conversation_answer(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, &error), "conversation");
  EXPECT(lfm_conversation_messages(NULL, &count) == NULL && count == 0);
  lfm_conversation_free(NULL);
  lfm_tokenizer_free(NULL);
  EXPECT(lfm_engine_tokenizer(NULL) == NULL && lfm_vocabulary(NULL) == 0 && lfm_bos(NULL) == -1 && lfm_eos(NULL) == -1);
  expect_null(lfm_session_append(NULL, &id, 1, &error), "session");
  expect_null(lfm_session_save(NULL, "x", &error), "session");
  expect_null(lfm_session_generate(NULL, NULL, NULL, NULL, NULL, &error), "session");
  expect_null(lfm_engine_info(engine, NULL, &error), "info");
  expect_null(lfm_engine_sampling(engine, NULL, &error), "sampling");
  expect_null(lfm_cancel_new(NULL, &error), "cancel");
  expect_null(lfm_chat_new(engine, NULL, NULL, &error), "chat");
  expect_null(lfm_inspect(NULL, &description, &error), "path");
  expect_null(lfm_inspect("x", NULL, &error), "description");
  expect_null(lfm_description_info(NULL, &info, &error), "description");
  expect_null(lfm_description_tensor(NULL, 0, &tensor, &error), "description");
  expect_null(lfm_pack(NULL, "x", NULL, NULL, &error), "model");
  expect_null(lfm_pack("x", NULL, NULL, NULL, &error), "out");
  expect_null(lfm_verify_pack(NULL, NULL, NULL, &error), "path");
  expect_null(lfm_constraint_from_json_schema(NULL, &constraint, &error), "schema");
  expect_null(lfm_constraint_from_json_schema("{}", NULL, &error), "constraint");
  expect_null(lfm_constraint_from_regex(NULL, &constraint, &error), "pattern");
  expect_null(lfm_constraint_from_tools(NULL, NULL, &constraint, &error), "tools");
  expect_null(lfm_constraint_either(NULL, NULL, &constraint, &error), "calls");
  expect_null(lfm_constraint_check(NULL, "", 0, &allowed, NULL, &error), "constraint");
  EXPECT(lfm_description_tensors(NULL) == 0 && lfm_description_gguf_version(NULL) == 0);
  lfm_form_text(NULL, "x");
  lfm_form_token(NULL, "x");
  lfm_description_free(NULL);
  lfm_constraint_free(NULL);
  EXPECT(lfm_session_new(engine, NULL, &session, &error) == LFM_OK);
  EXPECT(lfm_chat_new(engine, NULL, &chat, &error) == LFM_OK);
  expect_null(lfm_session_append(session, NULL, 1, &error), "tokens");
  expect_null(lfm_session_append_each(session, &id, 1, NULL, NULL, &error), "each");
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
void test_sizes(const char* model, const lfm_engine* engine) {
  struct {
    lfm_session_options known;
    uint64_t more;
  } newer;
  struct {
    lfm_session_stats known;
    uint64_t more;
  } stats;
  lfm_engine_options older = {0};
  lfm_engine* opened = NULL;
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

  older.size = sizeof older;
  older.threads = 1;
  EXPECT(lfm_engine_open(model, &older, &opened, &error) == LFM_OK);
  lfm_engine_close(opened);
  --older.size;
  EXPECT(lfm_engine_open(model, &older, &opened, &error) == LFM_ARGUMENT);
}
