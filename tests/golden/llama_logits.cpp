// Writes llama.cpp's logits of every position: the program that make_golden.py calls. Not part of the build:
//   g++ -O2 llama_logits.cpp -o llama_logits -lllama -lggml -lggml-base
//   usage: llama_logits MODEL IDS OUT    IDS: a prompt a line, ids separated by spaces; OUT: float32
#include <ggml-backend.h>
#include <llama.h>

#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  ggml_backend_load_all();
  llama_backend_init();
  llama_model* model = llama_model_load_from_file(argv[1], llama_model_default_params());
  if (model == nullptr) return 1;
  const auto vocabulary = static_cast<std::size_t>(llama_vocab_n_tokens(llama_model_get_vocab(model)));
  std::ifstream prompts(argv[2]);
  std::FILE* out = std::fopen(argv[3], "wb");
  if (out == nullptr) return 1;
  for (std::string line; std::getline(prompts, line);) {
    std::istringstream words(line);
    std::vector<llama_token> ids;
    for (llama_token id; words >> id;) ids.push_back(id);
    llama_context_params params = llama_context_default_params();
    params.n_ctx = params.n_batch = params.n_ubatch = 1024;
    params.n_threads = params.n_threads_batch = 2;
    llama_context* context = llama_init_from_model(model, params);
    llama_batch batch = llama_batch_init(static_cast<int>(ids.size()), 0, 1);
    batch.n_tokens = static_cast<int>(ids.size());
    for (std::size_t i = 0; i < ids.size(); ++i) {
      batch.token[i] = ids[i];
      batch.pos[i] = static_cast<llama_pos>(i);
      batch.n_seq_id[i] = 1;
      batch.seq_id[i][0] = 0;
      batch.logits[i] = 1;
    }
    if (llama_decode(context, batch) != 0) return 1;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      std::fwrite(llama_get_logits_ith(context, static_cast<int>(i)), sizeof(float), vocabulary, out);
    }
    llama_batch_free(batch);
    llama_free(context);
  }
  return std::fclose(out) == 0 ? 0 : 1;
}
