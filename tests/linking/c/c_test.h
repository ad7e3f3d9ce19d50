/* What the parts of c_test share. */
#ifndef C_TEST_H
#define C_TEST_H

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

extern lfm_error error;

void test_errors(const char* folder);
void test_nulls(const lfm_engine* engine);
void test_enums(const char* model, const lfm_engine* engine, const char* folder);
void test_sizes(const char* model, const lfm_engine* engine);
void test_tokens(const char* model, const lfm_engine* engine);
void test_session(const lfm_engine* engine, const char* folder);
void test_generation(const lfm_engine* engine);
void test_drafts(const lfm_engine* engine);
void test_choice(const lfm_engine* engine);
void test_constraints(const lfm_engine* engine);
void test_chat(const lfm_engine* engine);
void test_custom_form(const lfm_engine* engine);
void test_conversation(const lfm_engine* engine);
void test_pool(const lfm_engine* engine, const char* folder);
void test_open(const char* model);
void test_open_as(const char* model);
void test_files(const char* model, const char* folder);
void test_pack_cache(const char* model, const char* folder);
void test_quantize(const char* model, const char* folder);
void test_evaluate(const lfm_engine* engine, const char* folder);
void test_diagnostics(const lfm_engine* engine);

#endif
