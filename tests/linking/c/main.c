/* The C interface from C: c_test MODEL FOLDER. Ends with 0 and "passed", or names the line of what isn't as expected.
 */
#include "c_test.h"

lfm_error error;

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
  EXPECT(strcmp(info.path, argv[1]) == 0 && !info.packed && info.experts == 4 && info.attention_layers == 1);
  EXPECT(strcmp(info.architecture, "lfm2moe") == 0 && info.vocabulary == 300 && lfm_engine_note(engine, 99) == NULL);
  test_nulls(engine);
  test_enums(argv[1], engine, argv[2]);
  test_sizes(argv[1], engine);
  test_tokens(argv[1], engine);
  test_session(engine, argv[2]);
  test_generation(engine);
  test_drafts(engine);
  test_choice(engine);
  test_constraints(engine);
  test_diagnostics(engine);
  test_evaluate(engine, argv[2]);
  test_chat(engine);
  test_custom_form(engine);
  test_conversation(engine);
  test_pool(engine, argv[2]);
  test_open(argv[1]);
  test_open_as(argv[1]);
  test_files(argv[1], argv[2]);
  test_pack_cache(argv[1], argv[2]);
  test_quantize(argv[1], argv[2]);

  EXPECT(lfm_session_new(engine, NULL, &session, &error) == LFM_OK);
  lfm_engine_close(engine); /* which the session outlives */
  EXPECT(lfm_session_append(session, &token, 1, &error) == LFM_OK);
  lfm_session_free(session);
  puts("passed");
  return 0;
}
