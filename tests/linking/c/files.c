/* Opening, packing, checking and describing files, and diagnostics. */
#include "c_test.h"

void test_diagnostics(const lfm_engine* engine) {
  lfm_phase phases[64];
  lfm_limits limits = {.size = sizeof limits};
  size_t count = 0;
  EXPECT(lfm_engine_settle(engine, &error) == LFM_OK && lfm_engine_finish_pack_cache(engine, &error) == LFM_OK);
  EXPECT(lfm_engine_phases(engine, phases, 64, &count, &error) == LFM_OK && count > 3);
  EXPECT(strcmp(phases[0].name, "embedding") == 0 && phases[0].seconds > 0);
  EXPECT(lfm_engine_measure_limits(engine, &limits, &error) == LFM_OK && limits.read_bytes_per_second > 0);
}

struct progress {
  size_t calls;
  size_t last_call; /* which says to end */
  uint64_t all;
  lfm_open_phase phase;
};

static bool told(uint64_t done, uint64_t all, void* user) {
  struct progress* progress = user;
  progress->all = all;
  return done <= all && ++progress->calls != progress->last_call;
}

static bool told_of_phase(lfm_open_phase phase, uint64_t done, uint64_t all, void* user) {
  ((struct progress*)user)->phase = phase;
  return told(done, all, user);
}

void test_open(const char* model) {
  lfm_engine* engine = NULL;
  lfm_cancel* cancel = NULL;
  lfm_engine_options options = {.size = sizeof options};
  struct progress progress = {0};
  EXPECT(lfm_cancel_new(&cancel, &error) == LFM_OK);
  options.threads = 1;
  options.progress = told_of_phase;
  options.progress_user = &progress;
  options.cancel = cancel;
  EXPECT(lfm_engine_open(model, &options, &engine, &error) == LFM_OK);
  EXPECT(progress.calls > 0 && progress.all > 0 && progress.phase == LFM_OPEN_PACKING);
  lfm_engine_close(engine);
  engine = NULL;
  progress.last_call = progress.calls + 1;
  EXPECT(lfm_engine_open(model, &options, &engine, &error) == LFM_CANCELLED && engine == NULL);
  options.progress = NULL;
  lfm_cancel_request(cancel);
  EXPECT(lfm_engine_open(model, &options, &engine, &error) == LFM_CANCELLED && engine == NULL);
  lfm_cancel_free(cancel);
}

/* Matrices of floats, which the model has, become what is asked for. */
void test_open_as(const char* model) {
  const lfm_weight_type type = LFM_WEIGHT_Q8_0;
  lfm_engine_options options = {.size = sizeof options, .threads = 1};
  uint64_t bytes[2];
  int i;
  for (i = 0; i < 2; ++i) {
    lfm_engine* engine = NULL;
    lfm_model_info info = {.size = sizeof info};
    options.weights = i == 0 ? NULL : &type;
    EXPECT(lfm_engine_open(model, &options, &engine, &error) == LFM_OK);
    EXPECT(lfm_engine_info(engine, &info, &error) == LFM_OK);
    bytes[i] = info.weight_bytes;
    lfm_engine_close(engine);
  }
  EXPECT(2 * bytes[1] < bytes[0]);
}

void test_files(const char* model, const char* folder) {
  lfm_description* description = NULL;
  lfm_model_info info = {.size = sizeof info};
  lfm_tensor tensor = {.size = sizeof tensor};
  lfm_pack_options options = {.size = sizeof options};
  lfm_pack_info packed = {.size = sizeof packed}, verified = {.size = sizeof verified};
  struct progress progress = {0};
  char path[1024];
  size_t i, count;
  uint64_t bytes = 0;
  EXPECT(lfm_inspect("/nonexistent/model.gguf", &description, &error) == LFM_IO && description == NULL);
  EXPECT(lfm_inspect(model, &description, &error) == LFM_OK);
  EXPECT(lfm_description_info(description, &info, &error) == LFM_OK && info.vocabulary == 300 && info.threads == 0);
  EXPECT(lfm_description_gguf_version(description) == 3);
  count = lfm_description_tensors(description);
  for (i = 0; i < count; ++i) {
    EXPECT(lfm_description_tensor(description, i, &tensor, &error) == LFM_OK);
    EXPECT(tensor.name[0] != '\0' && tensor.type[0] != '\0' && tensor.rank > 0 && tensor.shape[0] > 0);
    EXPECT(tensor.offset > 0 && tensor.offset + tensor.bytes <= info.file_bytes);
    bytes += tensor.bytes;
  }
  EXPECT(count > 10 && bytes < info.file_bytes);
  EXPECT(lfm_description_tensor(description, count, &tensor, &error) == LFM_ARGUMENT && error.index == count);
  lfm_description_free(description);

  snprintf(path, sizeof path, "%s/packed-by-c.lfm", folder);
  remove(path);
  options.threads = 1;
  options.dense = LFM_DENSE_NATIVE;
  options.progress = told;
  options.progress_user = &progress;
  progress.last_call = 1;
  EXPECT(lfm_pack(model, path, &options, &packed, &error) == LFM_CANCELLED);
  EXPECT(lfm_verify_pack(path, NULL, NULL, &error) == LFM_IO); /* there is none */
  EXPECT(lfm_pack(model, path, &options, &packed, &error) == LFM_OK && progress.calls > 1);
  EXPECT(packed.weight_bytes > 0 && packed.file_bytes > packed.weight_bytes && !packed.xnnpack);
  EXPECT(progress.all > packed.weight_bytes);
  EXPECT(lfm_pack(model, path, &options, NULL, &error) == LFM_ARGUMENT);
  EXPECT(lfm_verify_pack(path, &options, &verified, &error) == LFM_OK && progress.all == packed.weight_bytes);
  EXPECT(verified.file_bytes == packed.file_bytes && !verified.xnnpack);
  EXPECT(lfm_inspect(path, &description, &error) == LFM_OK);
  EXPECT(lfm_description_info(description, &info, &error) == LFM_OK && info.packed);
  lfm_description_free(description);
  EXPECT(lfm_verify_pack(model, NULL, NULL, &error) == LFM_ARGUMENT);
  packed.size = 0;
  EXPECT(lfm_verify_pack(path, NULL, &packed, &error) == LFM_ARGUMENT && strcmp(error.field, "info") == 0);
  remove(path);
}

static bool seen_pack(const lfm_cached_pack* pack, void* user) {
  size_t* calls = user;
  EXPECT(pack->size == sizeof *pack && pack->path[0] == '/' && pack->source[0] == '/' && !pack->orphaned);
  EXPECT(pack->bytes > 0 && pack->last_used > 0);
  remove(pack->path);
  ++*calls;
  return false;
}

void test_pack_cache(const char* model, const char* folder) {
  lfm_engine_options options = {.size = sizeof options};
  lfm_engine* engine = NULL;
  char path[1024];
  size_t calls = 0;
  snprintf(path, sizeof path, "%s/cache-by-c", folder);
  EXPECT(lfm_list_pack_cache(path, NULL, NULL, &error) == LFM_ARGUMENT && strcmp(error.field, "each") == 0);
  EXPECT(lfm_list_pack_cache(path, seen_pack, &calls, &error) == LFM_OK && calls == 0);
  options.pack_cache = path;
  options.pack_cache_min_bytes = 1;
  EXPECT(lfm_engine_open(model, &options, &engine, &error) == LFM_OK);
  EXPECT(lfm_engine_finish_pack_cache(engine, &error) == LFM_OK);
  lfm_engine_close(engine);
  EXPECT(lfm_list_pack_cache(path, seen_pack, &calls, &error) == LFM_OK && calls == 1);
  EXPECT(lfm_list_pack_cache(path, seen_pack, &calls, &error) == LFM_OK && calls == 1); /* it removed the file */
  remove(path);
}

static bool told_of_part(lfm_quantize_phase phase, double part, void* user) {
  size_t* calls = user;
  *calls += part >= 0 && part <= 1 && phase <= LFM_QUANTIZE_MEASURING;
  return true;
}

static void told_of_tensor(const lfm_mixed_tensor* tensor, void* user) {
  size_t* mixed = user;
  *mixed += tensor->name[0] != 0 && tensor->type[0] != 0 && tensor->gain <= tensor->divergence + 1e-9;
}

void test_quantize(const char* model, const char* folder) {
  lfm_quantize_options options = {.size = sizeof options};
  lfm_quantize_info info = {.size = sizeof info};
  lfm_engine* engine = NULL;
  char path[1024];
  size_t calls = 0, mixed = 0;
  snprintf(path, sizeof path, "%s/quantized-by-c.gguf", folder);
  remove(path);
  options.threads = 1;
  options.calibration_tokens = 100;
  options.progress = told_of_part;
  options.progress_user = &calls;
  EXPECT(lfm_quantize(NULL, path, &options, &info, &error) == LFM_ARGUMENT && strcmp(error.field, "model") == 0);
  EXPECT(lfm_quantize(model, path, &options, &info, &error) == LFM_OK && calls > 2);
  EXPECT(info.weight_bytes > 0 && info.file_bytes > info.weight_bytes && info.parameters > info.weight_bytes);
  EXPECT(lfm_quantize(model, path, &options, NULL, &error) == LFM_ARGUMENT); /* is there already */
  options.overwrite = true;
  options.mix = LFM_MIX_BITS;
  options.mix_bits = 8;
  options.mixed = told_of_tensor;
  options.mixed_user = &mixed;
  EXPECT(lfm_quantize(model, path, &options, &info, &error) == LFM_OK && mixed > 0 && info.mix_divergence > 0);
  options.type = LFM_WEIGHT_Q8_0;
  EXPECT(lfm_quantize(model, path, &options, NULL, &error) == LFM_ARGUMENT && strcmp(error.field, "mix") == 0);
  options.mix = LFM_MIX_NONE;
  EXPECT(lfm_quantize(model, path, &options, NULL, &error) == LFM_OK);
  EXPECT(lfm_engine_open(path, NULL, &engine, &error) == LFM_OK);
  lfm_engine_close(engine);
  remove(path);
}
