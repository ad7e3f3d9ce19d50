/* What an application does with the library, in C: from_c MODEL */
#include <lfm/c.h>
#include <stdio.h>

int main(int argc, char** argv) {
  lfm_engine* engine = NULL;
  lfm_error error;
  lfm_model_info info = {.size = sizeof info};
  (void)argc;
  if (lfm_engine_open(argv[1], NULL, &engine, &error) != LFM_OK) return fprintf(stderr, "%s\n", error.message), 1;
  if (lfm_engine_info(engine, &info, &error) != LFM_OK) return fprintf(stderr, "%s\n", error.message), 1;
  printf("%s %s\n", info.architecture, lfm_version());
  lfm_engine_close(engine);
  return 0;
}
