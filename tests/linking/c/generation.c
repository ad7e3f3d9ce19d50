/* Generation: options, masks, log-probabilities, cancels, constraints. */
#include "c_test.h"

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

void test_generation(const lfm_engine* engine) {
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

/* The same text with drafts, which are told. */
void test_drafts(const lfm_engine* engine) {
  static const lfm_logit_bias biases[] = {{30, 100.0f}};
  lfm_sampling sampling = {.size = sizeof sampling, .seeded = true, .seed = 5};
  lfm_generate_options options = {.size = sizeof options};
  lfm_finish finish = {.size = sizeof finish};
  lfm_session_stats stats = {.size = sizeof stats};
  lfm_session* session = NULL;
  lfm_session* plain = NULL;
  const lfm_token prompt[] = {30, 30, 30, 30, 30, 30};
  size_t i, count = 0, plain_count = 0;
  const lfm_token *tokens, *plain_tokens;
  sampling.logit_bias = biases;
  sampling.logit_bias_count = 1;
  options.max_tokens = 80;
  options.ignore_end = true;
  options.sampling = &sampling;
  EXPECT(lfm_session_new(engine, NULL, &session, &error) == LFM_OK);
  EXPECT(lfm_session_append(session, prompt, 6, &error) == LFM_OK);
  EXPECT(lfm_session_fork(session, &plain, &error) == LFM_OK);
  EXPECT(lfm_session_generate(plain, &options, NULL, NULL, &finish, &error) == LFM_OK);
  EXPECT(finish.passes == 80 && finish.drafted == 0 && finish.accepted == 0);
  options.draft = (lfm_draft)2;
  EXPECT(lfm_session_generate(session, &options, NULL, NULL, NULL, &error) == LFM_ARGUMENT);
  EXPECT(strcmp(error.field, "draft") == 0);
  options.draft = LFM_DRAFT_LOOKUP;
  EXPECT(lfm_session_generate(session, &options, NULL, NULL, &finish, &error) == LFM_OK);
  EXPECT(finish.tokens == 80 && finish.passes + finish.accepted == 80 && finish.accepted > 0);
  EXPECT(lfm_session_get_stats(session, &stats, &error) == LFM_OK);
  EXPECT(stats.drafted_tokens == finish.drafted && stats.accepted_tokens == finish.accepted);
  EXPECT(stats.generate_passes == finish.passes);
  tokens = lfm_session_tokens(session, &count);
  plain_tokens = lfm_session_tokens(plain, &plain_count);
  EXPECT(count == plain_count);
  for (i = 0; i < count && i < plain_count; ++i) EXPECT(tokens[i] == plain_tokens[i]);
  lfm_session_free(plain);
  lfm_session_free(session);
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

void test_choice(const lfm_engine* engine) {
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

void test_constraints(const lfm_engine* engine) {
  lfm_session* session = NULL;
  lfm_constraint *numbers = NULL, *letters = NULL, *calls = NULL, *either = NULL;
  lfm_generate_options options = {.size = sizeof options};
  lfm_tool_constraint single = {.size = sizeof single};
  lfm_finish finish = {.size = sizeof finish};
  const lfm_token prompt[] = {1, 30, 40};
  bool allowed = false;
  size_t offset = 0;
  EXPECT(lfm_constraint_from_json_schema("{\"type\": \"integer\"}", &numbers, &error) == LFM_OK);
  EXPECT(lfm_constraint_check(numbers, "12", 2, &allowed, NULL, &error) == LFM_OK && allowed);
  EXPECT(lfm_constraint_check(numbers, "12x", 3, &allowed, &offset, &error) == LFM_OK && !allowed && offset == 2);
  EXPECT(lfm_constraint_from_json_schema_by_draft("{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\", "
                                                  "\"format\": \"date\"}",
                                                  &letters, &error) == LFM_OK);
  EXPECT(lfm_constraint_check(letters, "\"soon\"", 6, &allowed, NULL, &error) == LFM_OK && allowed);
  lfm_constraint_free(letters);
  letters = NULL;
  EXPECT(lfm_constraint_from_json_schema("{\"type\": 1}", &letters, &error) == LFM_ARGUMENT && letters == NULL);
  EXPECT(lfm_constraint_from_regex("[a-c]{5}", &letters, &error) == LFM_OK);
  single.single = true;
  single.only = "nothing";
  EXPECT(lfm_constraint_from_tools("[{\"name\": \"f\"}]", &single, &calls, &error) == LFM_ARGUMENT);
  single.only = "f";
  EXPECT(lfm_constraint_from_tools("[{\"name\": \"f\"}]", &single, &calls, &error) == LFM_OK);

  EXPECT(lfm_session_new(engine, NULL, &session, &error) == LFM_OK);
  EXPECT(lfm_session_append(session, prompt, 3, &error) == LFM_OK);
  EXPECT(lfm_constraint_prepare(letters, engine, &error) == LFM_OK);
  options.constraint = letters;
  text_bytes = 0;
  EXPECT(lfm_session_generate(session, &options, collect, NULL, &finish, &error) == LFM_OK);
  EXPECT(finish.reason == LFM_END && text_bytes == 5 && strspn(text, "abc") >= 5);
  EXPECT(lfm_constraint_either(calls, letters, &either, &error) == LFM_ARGUMENT && either == NULL);
  lfm_constraint_free(calls);
  single.optional = true;
  EXPECT(lfm_constraint_from_tools("[{\"name\": \"f\"}]", &single, &calls, &error) == LFM_OK);
  EXPECT(lfm_constraint_either(calls, letters, &either, &error) == LFM_OK);
  lfm_constraint_free(numbers);
  lfm_constraint_free(letters);
  lfm_constraint_free(calls);
  EXPECT(lfm_constraint_check(either, "abcab", 5, &allowed, NULL, &error) == LFM_OK && allowed);
  EXPECT(lfm_constraint_check(either, "[f()]", 5, &allowed, NULL, &error) == LFM_OK && allowed);
  lfm_constraint_free(either);
  single.none = true;
  EXPECT(lfm_constraint_from_tools("[{\"name\": \"f\"}]", &single, &calls, &error) == LFM_OK);
  EXPECT(lfm_constraint_check(calls, "as it likes", 11, &allowed, NULL, &error) == LFM_OK && allowed);
  lfm_constraint_free(calls);
  lfm_session_free(session);
}
