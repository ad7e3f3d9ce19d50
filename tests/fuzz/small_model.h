// Models as small as they can be, for fuzzers and their seeds.
#pragma once

#include "support/tiny_model.h"

namespace lfm::test {

// No tokenizer: all that is in the file.
inline TinyModel smallest(bool moe) {
  TinyModel model;
  model.moe = moe;
  model.hidden = model.ffn_width = model.expert_width = 32;
  model.heads = 1;
  model.kv_heads = {0, 1};
  model.experts = model.experts_used = 1;
  model.vocab = 2;
  model.tokenizer = false;
  model.matrices = model.embedding = format::TensorType::kQ4_0;
  return model;
}

// One that runs.
inline TinyModel smallest_whole(bool moe) {
  TinyModel model = smallest(moe);
  model.vocab = 272;
  model.tokenizer = true;
  return model;
}

}  // namespace lfm::test
