// The closed table of tensors: which ones a network of a given configuration has, with their shapes and types. A file
// must hold exactly these.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "format/gguf.h"
#include "lfm/result.h"
#include "model/config.h"

namespace lfm::model {

using Tensor = const format::TensorInfo*;

// The tensors of one layer; null for those that its kind doesn't have. Shapes are rows (outputs) x columns (inputs), so
// the file's dims reversed. H hidden, D head_dim, A heads * D, K kv_heads * D, L conv_taps, F ffn_width, E experts.
struct LayerTensors {
  Tensor attn_norm = nullptr;  // (H) f32; before the convolution or the attention
  Tensor ffn_norm = nullptr;   // (H) f32

  Tensor in_proj = nullptr;   // (3H, H): B, C, x
  Tensor conv = nullptr;      // (H, L) f32; tap L - 1 is the current token
  Tensor out_proj = nullptr;  // (H, H)

  Tensor q = nullptr;       // (A, H)
  Tensor k = nullptr;       // (K, H)
  Tensor v = nullptr;       // (K, H)
  Tensor o = nullptr;       // (H, A)
  Tensor q_norm = nullptr;  // (D) f32
  Tensor k_norm = nullptr;  // (D) f32

  Tensor gate = nullptr;  // (F, H)
  Tensor up = nullptr;    // (F, H)
  Tensor down = nullptr;  // (H, F)

  Tensor router = nullptr;       // (E, H) f32, f16 or bf16
  Tensor router_bias = nullptr;  // (E) f32
  Tensor gate_exps = nullptr;    // (E, F, H)
  Tensor up_exps = nullptr;      // (E, F, H)
  Tensor down_exps = nullptr;    // (E, H, F)
};

struct TensorTotals {
  std::uint64_t parameters = 0;
  std::uint64_t active_parameters = 0;  // that one token uses: all but the experts not chosen
  std::uint64_t prompt_parameters = 0;  // of them, that every token of a prompt is multiplied with: not the embedding,
                                        // nor what follows the last mixer and serves tokens with logits alone
  std::uint64_t bytes = 0;              // of all tensors in the file
  std::uint64_t bytes_per_token = 0;    // of weights that decoding one token reads
};

// Points into the Gguf that it was matched with.
struct TensorTable {
  Tensor embedding = nullptr;    // (vocab, H)
  Tensor output_norm = nullptr;  // (H) f32; the final norm
  Tensor output = nullptr;       // (vocab, H); null where the head is the embedding
  std::vector<LayerTensors> layers;
  TensorTotals totals;

  Tensor head() const noexcept { return output != nullptr ? output : embedding; }
};

// Finds every tensor of the configuration in the file.
//   kFormat       a tensor is missing, has another shape, or doesn't belong to the network
//   kUnsupported  a tensor has a type that isn't run in its place, or was quantised by an older format
Result<TensorTable> match_tensors(const format::Gguf& gguf, const Config& config);

}  // namespace lfm::model
