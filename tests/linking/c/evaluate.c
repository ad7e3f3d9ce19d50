/* Perplexity and divergence. */
#include "c_test.h"

struct seen {
  size_t windows;
  size_t last; /* after which it ends */
};

static bool see(const lfm_evaluation* evaluation, void* user) {
  struct seen* seen = user;
  seen->windows = evaluation->windows;
  return evaluation->windows != seen->last;
}

struct asked {
  size_t count;
  char answer[200];
};

static bool hear(size_t asked, size_t right, const char* answer, size_t bytes, bool is_right, void* user) {
  struct asked* heard = user;
  heard->count = asked;
  snprintf(heard->answer, sizeof heard->answer, "%.*s", (int)bytes, answer);
  return right <= asked && (!is_right || right > 0);
}

static void test_exam(const lfm_engine* engine) {
  const lfm_exam_question questions[] = {{"abc", "nothing like it", LFM_EXAM_EXACT, 4},
                                         {"abc", "", LFM_EXAM_CONTAINS, 4}};
  struct asked heard = {0, ""};
  size_t right = 9;
  EXPECT(lfm_hold_exam(engine, questions, 2, hear, &heard, &right, &error) == LFM_OK && heard.count == 2 && right <= 1);
  EXPECT(lfm_hold_exam(engine, NULL, 2, hear, &heard, &right, &error) == LFM_ARGUMENT);
  EXPECT(lfm_hold_exam(engine, NULL, 0, NULL, NULL, &right, &error) == LFM_OK && right == 0);
}

void test_evaluate(const lfm_engine* engine, const char* folder) {
  lfm_evaluate_options options = {.size = sizeof options};
  lfm_evaluation first = {.size = sizeof first}, same = {.size = sizeof same}, eight = {.size = sizeof eight};
  struct seen seen = {0, 0};
  char text[200], path[512];
  size_t i;
  for (i = 0; i < sizeof text; ++i) text[i] = (char)('a' + i * 7 % 26);
  snprintf(path, sizeof path, "%s/c_base", folder);
  options.window_tokens = 32;
  options.base_out = path;
  options.progress = see;
  options.progress_user = &seen;
  EXPECT(lfm_evaluate(engine, text, sizeof text, &options, &first, &error) == LFM_OK);
  EXPECT(first.windows == 6 && first.all_windows == 6 && seen.windows == 6 && first.scored == 6 * 15);
  EXPECT(first.perplexity.value > 1 && first.perplexity.error > 0 && !first.compared);

  options.base_out = NULL;
  options.base = path;
  EXPECT(lfm_evaluate(engine, NULL, 0, &options, &same, &error) == LFM_OK);
  EXPECT(same.compared && same.windows == 6 && same.divergence.same_top.value > 0.99);
  EXPECT(same.divergence.kld.value < 0.001 && same.divergence.klds.maximum < 0.01);

  options.cache_keys = options.cache_values = LFM_CACHE_Q8_0;
  EXPECT(lfm_evaluate(engine, NULL, 0, &options, &eight, &error) == LFM_OK);
  EXPECT(eight.perplexity.value != same.perplexity.value && eight.divergence.kld.value < 0.1);
  options.cache_keys = options.cache_values = LFM_CACHE_F16;

  options.base = NULL;
  seen.last = 2;
  EXPECT(lfm_evaluate(engine, text, sizeof text, &options, &same, &error) == LFM_CANCELLED && seen.windows == 2);
  EXPECT(lfm_evaluate(engine, text, 3, &options, &same, &error) == LFM_ARGUMENT);
  EXPECT(lfm_evaluate(NULL, text, 3, NULL, &same, &error) == LFM_ARGUMENT && strcmp(error.field, "engine") == 0);
  EXPECT(lfm_evaluate(engine, text, 3, NULL, NULL, &error) == LFM_ARGUMENT && strcmp(error.field, "evaluation") == 0);
  remove(path);
  test_exam(engine);
}
