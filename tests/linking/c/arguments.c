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

static void expect_unknown(lfm_code code, const char* field, const char* type) {
  EXPECT(code == LFM_ARGUMENT && strcmp(error.field, field) == 0 && strstr(error.message, type) != NULL);
}

static lfm_code no_code(const lfm_message* messages, size_t count, bool prompt, lfm_form_writer* out, void* user) {
  (void)messages, (void)count, (void)prompt, (void)out, (void)user;
  return (lfm_code)77;
}

/* A number that is none of an enum's values is refused by the field's name, whichever enum it is. */
void test_enums(const char* model, const lfm_engine* engine, const char* folder) {
  const int beyond[] = {-1, 99};
  size_t i, count = 0;
  for (i = 0; i < 2; ++i) {
    lfm_engine* opened = NULL;
    lfm_session* session = NULL;
    lfm_pool* pool = NULL;
    lfm_chat* chat = NULL;
    lfm_conversation* conversation = NULL;
    lfm_engine_options dense = {.size = sizeof dense, .dense = (lfm_dense)beyond[i]};
    lfm_engine_options load = {.size = sizeof load, .load = (lfm_load)beyond[i]};
    const lfm_weight_type no_type = (lfm_weight_type)beyond[i];
    lfm_engine_options weights = {.size = sizeof weights, .weights = &no_type};
    lfm_evaluate_options read_keys = {.size = sizeof read_keys, .cache_keys = (lfm_cache_type)beyond[i]};
    lfm_evaluate_options read_values = {.size = sizeof read_values, .cache_values = (lfm_cache_type)beyond[i]};
    lfm_evaluation evaluation = {.size = sizeof evaluation};
    lfm_pack_options pack = {.size = sizeof pack, .dense = (lfm_dense)beyond[i]};
    lfm_session_options keys = {.size = sizeof keys, .cache_keys = (lfm_cache_type)beyond[i]};
    lfm_session_options values = {.size = sizeof values, .cache_values = (lfm_cache_type)beyond[i]};
    lfm_pool_options pool_keys = {.size = sizeof pool_keys, .cache_keys = (lfm_cache_type)beyond[i]};
    lfm_pool_options pool_values = {.size = sizeof pool_values, .cache_values = (lfm_cache_type)beyond[i]};
    lfm_chat_options form = {.size = sizeof form, .form = (lfm_chat_form)beyond[i]};
    lfm_quantize_options type = {.size = sizeof type, .type = (lfm_weight_type)beyond[i]};
    lfm_quantize_options method = {.size = sizeof method, .method = (lfm_quantize_method)beyond[i]};
    lfm_quantize_options mix = {.size = sizeof mix, .mix = (lfm_mix)beyond[i]};
    lfm_message messages[2] = {{.size = sizeof *messages, .role = LFM_USER},
                               {.size = sizeof *messages, .role = (lfm_role)beyond[i]}};
    lfm_exam_question questions[2] = {{"a", "b", LFM_EXAM_EXACT, 1}, {"a", "b", (lfm_exam_match)beyond[i], 1}};
    lfm_finish finish = {.size = sizeof finish, .reason = (lfm_finish_reason)beyond[i]};
    char out[512];
    snprintf(out, sizeof out, "%s/no_enum.gguf", folder);
    expect_unknown(lfm_engine_open(model, &dense, &opened, &error), "dense", "lfm_dense");
    expect_unknown(lfm_engine_open(model, &load, &opened, &error), "load", "lfm_load");
    expect_unknown(lfm_engine_open(model, &weights, &opened, &error), "weights", "lfm_weight_type");
    expect_unknown(lfm_evaluate(engine, "a", 1, &read_keys, &evaluation, &error), "cache_keys", "lfm_cache_type");
    expect_unknown(lfm_evaluate(engine, "a", 1, &read_values, &evaluation, &error), "cache_values", "lfm_cache_type");
    expect_unknown(lfm_pack(model, out, &pack, NULL, &error), "dense", "lfm_dense");
    expect_unknown(lfm_verify_pack(model, &pack, NULL, &error), "dense", "lfm_dense");
    expect_unknown(lfm_session_new(engine, &keys, &session, &error), "cache_keys", "lfm_cache_type");
    expect_unknown(lfm_session_new(engine, &values, &session, &error), "cache_values", "lfm_cache_type");
    expect_unknown(lfm_pool_new(engine, &pool_keys, &pool, &error), "cache_keys", "lfm_cache_type");
    expect_unknown(lfm_pool_new(engine, &pool_values, &pool, &error), "cache_values", "lfm_cache_type");
    expect_unknown(lfm_chat_new(engine, &form, &chat, &error), "form", "lfm_chat_form");
    expect_unknown(lfm_quantize(model, out, &type, NULL, &error), "type", "lfm_weight_type");
    expect_unknown(lfm_quantize(model, out, &method, NULL, &error), "method", "lfm_quantize_method");
    expect_unknown(lfm_quantize(model, out, &mix, NULL, &error), "mix", "lfm_mix");
    expect_unknown(lfm_messages_to_json(messages, 2, NULL, 0, &count, &error), "role", "lfm_role");
    EXPECT(error.index == 1);
    EXPECT(lfm_conversation_new(&conversation, &error) == LFM_OK);
    expect_unknown(lfm_conversation_add(conversation, &messages[1], &error), "role", "lfm_role");
    EXPECT(lfm_conversation_add(conversation, &messages[0], &error) == LFM_OK);
    expect_unknown(lfm_conversation_set(conversation, 0, &messages[1], &error), "role", "lfm_role");
    lfm_conversation_free(conversation);
    expect_unknown(lfm_hold_exam(engine, questions, 2, NULL, NULL, NULL, &error), "match", "lfm_exam_match");
    EXPECT(error.index == 1);
    expect_unknown(lfm_finish_describe(&finish, NULL, 0, &count, &error), "reason", "lfm_finish_reason");
    EXPECT(opened == NULL && session == NULL && pool == NULL && chat == NULL);
  }
  {
    lfm_chat_options options = {.size = sizeof options, .custom = no_code};
    lfm_message message = {.size = sizeof message, .role = LFM_USER, .content = "a"};
    lfm_chat* chat = NULL;
    EXPECT(lfm_chat_new(engine, &options, &chat, &error) == LFM_OK);
    expect_unknown(lfm_chat_render(chat, &message, 1, true, NULL, 0, &count, &error), "custom", "lfm_code");
    lfm_chat_free(chat);
  }
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

  older.size = offsetof(lfm_engine_options, draft); /* as it was in the first version of the ABI */
  older.threads = 1;
  EXPECT(lfm_engine_open(model, &older, &opened, &error) == LFM_OK);
  lfm_engine_close(opened);
  --older.size;
  EXPECT(lfm_engine_open(model, &older, &opened, &error) == LFM_ARGUMENT);
}
