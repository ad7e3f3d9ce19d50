/* Tokens and sessions. */
#include <stddef.h>

#include "c_test.h"

static void expect_same(const lfm_tokenizer* tokenizer, const char* path) {
  lfm_tokenizer* of_file = NULL;
  EXPECT(lfm_tokenizer_open(path, &of_file, &error) == LFM_OK);
  EXPECT(lfm_vocabulary(of_file) == 300 && lfm_vocabulary(tokenizer) == 300);
  EXPECT(lfm_bos(of_file) == 1 && lfm_eos(of_file) == lfm_eos(tokenizer));
  EXPECT(lfm_find_special(of_file, "<|im_end|>") == lfm_find_special(tokenizer, "<|im_end|>"));
  EXPECT(lfm_find_special(of_file, "<|nothing|>") == -1 && lfm_find_special(of_file, NULL) == -1);
  lfm_tokenizer_free(of_file);
  EXPECT(lfm_tokenizer_open("/nonexistent", &of_file, &error) == LFM_IO);
}

void test_tokens(const char* model, const lfm_engine* engine) {
  const lfm_tokenizer* tokenizer = lfm_engine_tokenizer(engine);
  lfm_token ids[64];
  char back[64];
  size_t count = 0, bytes = 0;
  EXPECT(lfm_encode(tokenizer, "the tale", 8, true, false, ids, 64, &count, &error) == LFM_OK);
  EXPECT(count > 2 && ids[0] == 1);
  EXPECT(lfm_decode(tokenizer, ids + 1, count - 1, back, sizeof back, &bytes, &error) == LFM_OK);
  EXPECT(bytes == 8 && memcmp(back, "the tale", 8) == 0);
  EXPECT(lfm_encode(tokenizer, "the tale", 8, true, false, NULL, 0, &bytes, &error) == LFM_OK && bytes == count);
  EXPECT(lfm_encode(tokenizer, "the tale", 8, true, false, ids, 1, &bytes, &error) == LFM_LIMIT && bytes == count);
  EXPECT(error.have == count && error.limit == 1);
  EXPECT(lfm_encode(tokenizer, "<|im_end|>", 10, false, true, ids, 64, &count, &error) == LFM_OK && count == 1);
  EXPECT(lfm_ends_generation(tokenizer, ids[0]) && !lfm_ends_generation(tokenizer, 20));
  EXPECT(lfm_find_special(tokenizer, "<|im_end|>") == ids[0]);
  ids[1] = -1;
  EXPECT(lfm_decode(tokenizer, ids, 2, back, sizeof back, &bytes, &error) == LFM_ARGUMENT && error.index == 1);
  EXPECT(error.have == LFM_NONE);
  EXPECT(lfm_encode(tokenizer, NULL, 0, false, false, NULL, 0, &count, &error) == LFM_OK && count == 0);
  expect_same(tokenizer, model);
}

static void expect_same_logits(const lfm_session* a, const lfm_session* b) {
  size_t count = 0, other = 0;
  const float* logits = lfm_session_logits(a, &count);
  EXPECT(count == 300);
  EXPECT(memcmp(logits, lfm_session_logits(b, &other), count * sizeof *logits) == 0 && other == count);
}

struct seen {
  size_t calls;
  float last[300];
};

static void keep(const float* logits, size_t count, void* user) {
  struct seen* seen = user;
  ++seen->calls;
  if (count == 300) memcpy(seen->last, logits, sizeof seen->last);
}

void test_session(const lfm_engine* engine, const char* folder) {
  lfm_token ids[100];
  lfm_session *session = NULL, *fork = NULL, *fresh = NULL;
  lfm_sync_info info;
  struct seen seen = {0};
  lfm_session_options options = {.size = sizeof options};
  lfm_sync_options ending = {.size = sizeof ending};
  lfm_session_stats stats = {.size = sizeof stats};
  char path[1024];
  size_t i, count = 0;
  const size_t ends[] = {70};
  for (i = 0; i < 100; ++i) ids[i] = (lfm_token)(20 + 7 * i % 250);
  options.cache_values = (lfm_cache_type)2;
  EXPECT(lfm_session_new(engine, &options, &session, &error) == LFM_ARGUMENT);
  EXPECT(session == NULL && strcmp(error.field, "cache_values") == 0);
  options.cache_values = LFM_CACHE_Q8_0;
  EXPECT(lfm_session_new(engine, &options, &session, &error) == LFM_OK);
  lfm_session_free(session);
  options.size = offsetof(lfm_session_options, cache_keys); /* as an older application has it */
  EXPECT(lfm_session_new(engine, &options, &session, &error) == LFM_OK);
  lfm_session_free(session);
  session = NULL;
  options.size = sizeof options;
  options.cache_values = LFM_CACHE_F16;
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
  EXPECT(lfm_session_append_each(fresh, ids + 60, 40, keep, &seen, &error) == LFM_OK && seen.calls == 40);
  EXPECT(memcmp(seen.last, lfm_session_logits(fresh, &count), sizeof seen.last) == 0);
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
