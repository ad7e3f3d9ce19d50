#include "support/tiny_draft.h"

#include <cmath>
#include <cstring>

namespace lfm::test {
namespace {

using format::TensorType;

class DraftFile {
 public:
  explicit DraftFile(const TinyDraft& shape) : shape_(shape), seed_(shape.seed) {}

  GgufBuilder run() {
    add_sizes();
    const std::uint64_t h = shape_.hidden, d = shape_.head_dim, r = shape_.rank;
    matrix("fc.weight", {h * shape_.taps.size(), h});
    norm("enc.output_norm.weight", h);
    norm("output_norm.weight", h);
    for (std::uint32_t i = 0; i < shape_.layers; ++i) {
      const std::string prefix = "blk." + std::to_string(i) + ".";
      norm(prefix + "attn_norm.weight", h);
      matrix(prefix + "attn_q.weight", {h, shape_.heads * d});
      matrix(prefix + "attn_k.weight", {h, shape_.kv_heads * d});
      matrix(prefix + "attn_v.weight", {h, shape_.kv_heads * d});
      matrix(prefix + "attn_output.weight", {shape_.heads * d, h});
      norm(prefix + "attn_q_norm.weight", d);
      norm(prefix + "attn_k_norm.weight", d);
      norm(prefix + "ffn_norm.weight", h);
      matrix(prefix + "ffn_gate.weight", {h, shape_.ffn_width});
      matrix(prefix + "ffn_up.weight", {h, shape_.ffn_width});
      matrix(prefix + "ffn_down.weight", {shape_.ffn_width, h});
    }
    matrix("markov_w1.weight", {r, shape_.vocab});
    matrix("markov_w2.weight", {r, shape_.vocab});
    if (shape_.confidence) {
      add("conf_proj.weight", TensorType::kF32, {h + r, 1}, 0.1f);
      add("conf_proj.bias", TensorType::kF32, {1}, 0.1f);
    }
    if (shape_.favoured > 0) add_head();
    return std::move(file_);
  }

 private:
  void add_sizes() {
    file_.set_string("general.architecture", "dflash");
    file_.set_string("general.name", "tiny draft");
    file_.set_u32("dflash.block_count", shape_.layers);
    file_.set_u32("dflash.context_length", 1024);
    file_.set_u32("dflash.embedding_length", shape_.hidden);
    file_.set_u32("dflash.feed_forward_length", shape_.ffn_width);
    file_.set_u32("dflash.attention.head_count", shape_.heads);
    file_.set_u32("dflash.attention.head_count_kv", shape_.kv_heads);
    file_.set_u32("dflash.attention.key_length", shape_.head_dim);
    file_.set_u32("dflash.attention.value_length", shape_.head_dim);
    file_.set_f32("dflash.attention.layer_norm_rms_epsilon", 1e-5f);
    file_.set_f32("dflash.rope.freq_base", 5e6f);
    file_.set_u32("dflash.vocab_size", shape_.vocab);
    file_.set_u32("dflash.block_size", shape_.block);
    file_.set_i32s("dflash.target_layers", shape_.taps);
    file_.set_u32("tokenizer.ggml.mask_token_id", shape_.mask_token);
    file_.set_u32("general.quantization_version", 2);
  }

  void add(const std::string& name, TensorType type, std::vector<std::uint64_t> dims, float deviation) {
    std::uint64_t count = 1;
    for (const std::uint64_t dim : dims) count *= dim;
    file_.tensors.push_back(
        {name, std::move(dims), static_cast<std::uint32_t>(type), random_weights(type, count, deviation, seed_)});
  }

  void matrix(const std::string& name, std::vector<std::uint64_t> dims) {
    const float deviation = 1.0f / std::sqrt(static_cast<float>(dims[0]));
    add(name, shape_.matrices, std::move(dims), deviation);
  }

  void norm(const std::string& name, std::uint64_t size) {
    std::string data;
    for (std::uint64_t i = 0; i < size; ++i) data += bytes_of(0.9f + 0.01f * static_cast<float>((i * 7 + seed_) % 20));
    file_.tensors.push_back({name, {size}, static_cast<std::uint32_t>(TensorType::kF32), std::move(data)});
  }

  void add_head() {
    const std::uint64_t h = shape_.hidden;
    std::string data = random_weights(TensorType::kF32, h * shape_.vocab, 0.05f, seed_);
    for (std::uint64_t i = h * shape_.favoured_first; i < h * (shape_.favoured_first + shape_.favoured); ++i) {
      float weight;
      std::memcpy(&weight, &data[i * sizeof weight], sizeof weight);
      weight *= 12;
      std::memcpy(&data[i * sizeof weight], &weight, sizeof weight);
    }
    file_.tensors.push_back({"output.weight", {h, shape_.vocab}, static_cast<std::uint32_t>(TensorType::kF32), data});
  }

  const TinyDraft& shape_;
  std::uint32_t seed_;
  GgufBuilder file_;
};

}  // namespace

GgufBuilder TinyDraft::builder() const {
  return DraftFile(*this).run();
}

}  // namespace lfm::test
