// Writes what llama.cpp's draft says: the program that make_draft_golden.py may call. Not part of the build:
//   g++ -O2 llama_draft.cpp -o llama_draft -lllama -lggml -lggml-base
//   usage: llama_draft TARGET DRAFT CASES OUT    CASES: a case a line, the anchor and the ids before it
//   OUT: float32, for each case the logits of a block's rows, with what the tokens before add, and their confidences
// The library exports what it needs beyond llama.h without a header.
#include <ggml-backend.h>
#include <llama.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

void llama_set_embeddings_layer_inp(llama_context*, unsigned, bool);
float* llama_get_embeddings_layer_inp(llama_context*, unsigned);
void llama_set_embeddings_nextn(llama_context*, bool, bool);
float* llama_get_embeddings_nextn(llama_context*);
const int* llama_model_target_layer_ids(const llama_model*);
unsigned llama_model_target_layer_ids_n(const llama_model*);

namespace {

constexpr std::size_t kLongest = 512;

// A row of the batch, whose token or embedding is set by the caller.
void place(llama_batch& batch, std::size_t row, std::size_t position, bool wanted) {
  batch.pos[row] = static_cast<llama_pos>(position);
  batch.n_seq_id[row] = 1;
  batch.seq_id[row][0] = 0;
  batch.logits[row] = wanted;
}

bool write_case(llama_model* target, llama_model* draft, llama_token anchor, const std::vector<llama_token>& ids,
                std::FILE* out) {
  char text[32];
  if (llama_model_meta_val_str(draft, "dflash.block_size", text, sizeof text) < 0) return false;
  const auto block = static_cast<std::size_t>(std::atoi(text));
  const auto hidden = static_cast<std::size_t>(llama_model_n_embd(target));
  const auto vocabulary = static_cast<std::size_t>(llama_vocab_n_tokens(llama_model_get_vocab(target)));
  const llama_token mask = llama_vocab_mask(llama_model_get_vocab(draft));
  const int* layers = llama_model_target_layer_ids(draft);
  const std::size_t taps = llama_model_target_layer_ids_n(draft);
  const std::size_t count = ids.size();

  llama_context_params params = llama_context_default_params();
  params.n_ctx = params.n_batch = params.n_ubatch = kLongest;
  params.n_threads = params.n_threads_batch = 1;
  params.type_k = params.type_v = GGML_TYPE_F32;
  llama_context* reading = llama_init_from_model(target, params);
  params.ctx_other = reading;
  llama_context* drafting = llama_init_from_model(draft, params);
  for (std::size_t i = 0; i < taps; ++i)
    llama_set_embeddings_layer_inp(reading, static_cast<unsigned>(layers[i]), true);
  llama_set_embeddings_nextn(drafting, true, true);
  llama_set_causal_attn(drafting, false);

  llama_batch tokens = llama_batch_init(kLongest, 0, 1);
  tokens.n_tokens = static_cast<int>(count);
  for (std::size_t i = 0; i < count; ++i) {
    tokens.token[i] = ids[i];
    place(tokens, i, i, i + 1 == count);
  }
  if (llama_decode(reading, tokens) != 0) return false;
  llama_batch context = llama_batch_init(kLongest, static_cast<int>(taps * hidden), 1);
  context.n_tokens = static_cast<int>(count);
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t k = 0; k < taps; ++k) {
      const float* row = llama_get_embeddings_layer_inp(reading, static_cast<unsigned>(layers[k])) + i * hidden;
      std::copy(row, row + hidden, context.embd + (i * taps + k) * hidden);
    }
    place(context, i, i, false);
  }
  if (llama_decode(drafting, context) != 0) return false;
  tokens.n_tokens = static_cast<int>(block);
  for (std::size_t i = 0; i < block; ++i) {
    tokens.token[i] = i == 0 ? anchor : mask;
    place(tokens, i, count + i, true);
  }
  if (llama_decode(drafting, tokens) != 0) return false;
  for (std::size_t i = 0; i < block; ++i) {
    std::fwrite(llama_get_logits_ith(drafting, static_cast<int>(i)), sizeof(float), vocabulary, out);
  }
  for (std::size_t i = 0; i < block; ++i) {
    std::fwrite(llama_get_embeddings_nextn(drafting) + i * hidden, sizeof(float), 1, out);
  }
  llama_batch_free(context);
  llama_batch_free(tokens);
  llama_free(drafting);
  llama_free(reading);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
  ggml_backend_load_all();
  llama_backend_init();
  llama_model* target = llama_model_load_from_file(argv[1], llama_model_default_params());
  llama_model* draft = llama_model_load_from_file(argv[2], llama_model_default_params());
  std::ifstream cases(argv[3]);
  std::FILE* out = std::fopen(argv[4], "wb");
  if (target == nullptr || draft == nullptr || out == nullptr) return 1;
  for (std::string line; std::getline(cases, line);) {
    std::istringstream words(line);
    llama_token anchor = 0;
    words >> anchor;
    std::vector<llama_token> ids;
    for (llama_token id; words >> id;) ids.push_back(id);
    if (!write_case(target, draft, anchor, ids, out)) return 1;
  }
  return std::fclose(out) == 0 ? 0 : 1;
}
