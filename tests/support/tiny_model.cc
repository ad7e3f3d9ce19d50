#include "support/tiny_model.h"

#include <bit>
#include <cmath>
#include <stdexcept>

namespace lfm::test {
namespace {

using format::TensorType;

constexpr std::int32_t kNormalToken = 1;
constexpr std::int32_t kControlToken = 3;
constexpr std::int32_t kUserDefinedToken = 4;

// Numerical Recipes' generator: the same weights with every compiler and library.
std::uint32_t next(std::uint32_t& seed) {
  seed = seed * 1664525u + 1013904223u;
  return seed >> 8;
}

// Uniform with the given standard deviation around zero.
float uniform(std::uint32_t& seed, float deviation) {
  return (static_cast<float>(next(seed)) / 8388608.0f - 1.0f) * deviation * 1.7320508f;
}

// Truncated; for what is below infinity.
std::string half(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t exponent = bits >> 23 & 0xff, mantissa = (bits & 0x7fffff) | 0x800000;
  const std::uint32_t magnitude = exponent >= 113   ? (exponent - 112) << 10 | (mantissa >> 13 & 0x3ff)
                                  : exponent >= 102 ? mantissa >> (126 - exponent)  // subnormal
                                                    : 0;
  return bytes_of(static_cast<std::uint16_t>((bits >> 16 & 0x8000) | magnitude));
}

std::string bfloat(float value) {
  return bytes_of(static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(value) >> 16));
}

std::string noise(std::size_t bytes, std::uint32_t& seed) {
  std::string out;
  for (std::size_t i = 0; i < bytes; ++i) out += static_cast<char>(next(seed) & 0xff);
  return out;
}

// One block: random codes, and scales that give the deviation for codes spread evenly.
std::string random_block(TensorType type, float deviation, std::uint32_t& seed) {
  const float sign = (next(seed) & 1) != 0 ? 1.0f : -1.0f;
  switch (type) {
    case TensorType::kF32:
      return bytes_of(uniform(seed, deviation));
    case TensorType::kF16:
      return half(uniform(seed, deviation));
    case TensorType::kBF16:
      return bfloat(uniform(seed, deviation));
    case TensorType::kQ4_0:
      return half(sign * deviation / 4.6f) + noise(16, seed);
    case TensorType::kQ4_1:
      return half(deviation / 4.6f) + half(-7.5f * deviation / 4.6f) + noise(16, seed);
    case TensorType::kQ5_0:
      return half(sign * deviation / 9.2f) + noise(20, seed);
    case TensorType::kQ5_1:
      return half(deviation / 9.2f) + half(-15.5f * deviation / 9.2f) + noise(20, seed);
    case TensorType::kQ8_0:
      return half(deviation / 74.0f) + noise(32, seed);
    case TensorType::kQ4_K:
      return half(deviation / 166.0f) + half(7.5f * deviation / 166.0f) + noise(140, seed);
    case TensorType::kQ5_K:
      return half(deviation / 331.0f) + half(15.5f * deviation / 331.0f) + noise(172, seed);
    case TensorType::kQ6_K:
      return noise(208, seed) + half(deviation / 1369.0f);
    case TensorType::kQ2_K:
      return noise(80, seed) + half(deviation / 13.9f) + half(1.5f * deviation / 13.9f);
    case TensorType::kQ3_K:
      return noise(108, seed) + half(deviation / 42.5f);
    case TensorType::kIQ4_NL:
      return half(sign * deviation / 67.4f) + noise(16, seed);
    case TensorType::kMXFP4:
      return std::string(1, static_cast<char>(128 + std::lround(std::log2(deviation / 5.85f)))) + noise(16, seed);
    case TensorType::kIQ4_XS:
      return half(deviation / 1247.0f) + noise(134, seed);
    default:
      throw std::invalid_argument("no random weights of this type");
  }
}

class Model {
 public:
  explicit Model(const TinyModel& shape) : shape_(shape), seed_(shape.seed) {}

  GgufBuilder run() {
    add_sizes();
    if (shape_.tokenizer) add_tokenizer();
    add_tensors();
    return std::move(file_);
  }

 private:
  std::string key(const char* name) const { return shape_.prefix() + name; }

  void add_sizes() {
    file_.set_string("general.architecture", shape_.moe ? "lfm2moe" : "lfm2");
    file_.set_string("general.name", "tiny");
    file_.set_u32(key("block_count"), static_cast<std::uint32_t>(shape_.kv_heads.size()));
    file_.set_u32(key("context_length"), shape_.context_length);
    file_.set_u32(key("embedding_length"), shape_.hidden);
    file_.set_u32(key("feed_forward_length"), shape_.ffn_width);
    file_.set_u32(key("attention.head_count"), shape_.heads);
    file_.set_i32s(key("attention.head_count_kv"), shape_.kv_heads);
    file_.set_f32(key("rope.freq_base"), 1e6f);
    file_.set_f32(key("attention.layer_norm_rms_epsilon"), 1e-5f);
    file_.set_u32(key("vocab_size"), shape_.vocab);
    file_.set_u32(key("shortconv.l_cache"), shape_.conv_taps);
    if (shape_.moe) {
      file_.set_u32(key("expert_count"), shape_.experts);
      file_.set_u32(key("expert_used_count"), shape_.experts_used);
      file_.set_u32(key("expert_feed_forward_length"), shape_.expert_width);
      file_.set_u32(key("leading_dense_block_count"), shape_.dense_layers);
      file_.set_u32(key("expert_gating_func"), 2);
    }
    file_.set_u32("general.quantization_version", 2);
  }

  void add_tokenizer() {
    std::vector<std::string> tokens = {"<|pad|>",
                                       "<|startoftext|>",
                                       "<|endoftext|>",
                                       "<|fim_pre|>",
                                       "<|fim_mid|>",
                                       "<|fim_suf|>",
                                       "<|im_start|>",
                                       "<|im_end|>",
                                       "<|tool_list_start|>",
                                       "<|tool_list_end|>",
                                       "<|tool_call_start|>",
                                       "<|tool_call_end|>",
                                       "<|tool_response_start|>",
                                       "<|tool_response_end|>"};
    std::vector<std::int32_t> types(tokens.size(), kControlToken);
    if (shape_.thinks) {
      tokens[3] = "<think>";
      tokens[4] = "</think>";
      types[3] = types[4] = kUserDefinedToken;
    }
    for (unsigned byte = 0; byte < 256; ++byte) tokens.push_back(byte_token(static_cast<unsigned char>(byte)));
    std::vector<std::string> merges;
    for (const std::string pair : {"Ġ t", "Ġ a", "h e",  "i n", "r e", "o n",  "Ġt he", "e r", "Ġ s",  "a t",
                                   "Ġ w", "Ġ o", "e n",  "Ġ c", "i t", "i s",  "a n",   "o r", "e s",  "Ġ b",
                                   "e d", "Ġ f", "in g", "Ġ p", "o u", "Ġa n", "a l",   "a r", "Ġt o", "Ġ m"}) {
      if (tokens.size() >= shape_.vocab) break;
      const std::size_t space = pair.find(' ');
      merges.push_back(pair);
      tokens.push_back(pair.substr(0, space) + pair.substr(space + 1));
    }
    types.resize(tokens.size(), kNormalToken);
    while (tokens.size() < shape_.vocab) {
      tokens.push_back("<|reserved_" + std::to_string(tokens.size()) + "|>");
      types.push_back(kControlToken);
    }
    if (!shape_.chat_template.empty()) file_.set_string("tokenizer.chat_template", shape_.chat_template);
    file_.set_string("tokenizer.ggml.model", "gpt2");
    file_.set_string("tokenizer.ggml.pre", "lfm2");
    file_.set_strings("tokenizer.ggml.tokens", tokens);
    file_.set_i32s("tokenizer.ggml.token_type", types);
    file_.set_strings("tokenizer.ggml.merges", merges);
    file_.set_u32("tokenizer.ggml.bos_token_id", 1);
    file_.set_u32("tokenizer.ggml.eos_token_id", 7);
    file_.set_u32("tokenizer.ggml.padding_token_id", 0);
    file_.set("tokenizer.ggml.add_bos_token", format::ValueType::kBool, bytes_of(true));
  }

  void add(const std::string& name, TensorType type, std::vector<std::uint64_t> dims, float deviation,
           float mean = 0.0f) {
    std::uint64_t count = 1;
    for (const std::uint64_t dim : dims) count *= dim;
    std::string data;
    if (mean != 0.0f) {
      for (std::uint64_t i = 0; i < count; ++i) data += bytes_of(mean + uniform(seed_, deviation));
    } else {
      data = random_weights(type, count, deviation, seed_);
    }
    file_.tensors.push_back({name, std::move(dims), static_cast<std::uint32_t>(type), std::move(data)});
  }

  void matrix(const std::string& name, std::vector<std::uint64_t> dims) {
    const float deviation = 1.0f / std::sqrt(static_cast<float>(dims[0]));
    add(name, shape_.matrices, std::move(dims), deviation);
  }

  void norm(const std::string& name, std::uint64_t size) { add(name, TensorType::kF32, {size}, 0.1f, 1.0f); }

  void add_tensors() {
    const std::uint64_t h = shape_.hidden;
    add("token_embd.weight", shape_.embedding, {h, shape_.vocab}, 0.1f);
    norm("token_embd_norm.weight", h);
    if (!shape_.tied) add("output.weight", shape_.embedding, {h, shape_.vocab}, 0.1f);
    for (std::size_t i = 0; i < shape_.kv_heads.size(); ++i) {
      const std::string prefix = "blk." + std::to_string(i) + ".";
      norm(prefix + "attn_norm.weight", h);
      norm(prefix + "ffn_norm.weight", h);
      if (shape_.kv_heads[i] == 0) {
        add_conv(prefix);
      } else {
        add_attention(prefix, static_cast<std::uint64_t>(shape_.kv_heads[i]));
      }
      if (shape_.moe && i >= shape_.dense_layers) {
        add_experts(prefix);
      } else {
        matrix(prefix + "ffn_gate.weight", {h, shape_.ffn_width});
        matrix(prefix + "ffn_up.weight", {h, shape_.ffn_width});
        matrix(prefix + "ffn_down.weight", {shape_.ffn_width, h});
      }
    }
  }

  void add_conv(const std::string& prefix) {
    const std::uint64_t h = shape_.hidden;
    matrix(prefix + "shortconv.in_proj.weight", {h, 3 * h});
    add(prefix + "shortconv.conv.weight", TensorType::kF32, {shape_.conv_taps, h}, 0.5f);
    matrix(prefix + "shortconv.out_proj.weight", {h, h});
  }

  void add_attention(const std::string& prefix, std::uint64_t kv_heads) {
    const std::uint64_t h = shape_.hidden, d = h / shape_.heads;
    matrix(prefix + "attn_q.weight", {h, h});
    matrix(prefix + "attn_k.weight", {h, kv_heads * d});
    matrix(prefix + "attn_v.weight", {h, kv_heads * d});
    matrix(prefix + "attn_output.weight", {h, h});
    norm(prefix + "attn_q_norm.weight", d);
    norm(prefix + "attn_k_norm.weight", d);
  }

  void add_experts(const std::string& prefix) {
    const std::uint64_t h = shape_.hidden, f = shape_.expert_width, e = shape_.experts;
    add(prefix + "ffn_gate_inp.weight", TensorType::kF32, {h, e}, 0.2f);
    add(prefix + "exp_probs_b.bias", TensorType::kF32, {e}, 0.1f);
    matrix(prefix + "ffn_gate_exps.weight", {h, f, e});
    matrix(prefix + "ffn_up_exps.weight", {h, f, e});
    matrix(prefix + "ffn_down_exps.weight", {f, h, e});
  }

  const TinyModel& shape_;
  std::uint32_t seed_;
  GgufBuilder file_;
};

std::string utf8(unsigned code_point) {
  if (code_point < 0x80) return {static_cast<char>(code_point)};
  return {static_cast<char>(0xc0 | code_point >> 6), static_cast<char>(0x80 | (code_point & 0x3f))};
}

bool printable_latin1(unsigned byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

}  // namespace

std::string random_weights(TensorType type, std::uint64_t count, float deviation, std::uint32_t& seed) {
  std::string data;
  for (std::uint64_t i = 0; i < count / format::block_columns(type); ++i) data += random_block(type, deviation, seed);
  return data;
}

// Bytes that can be seen stand for themselves, the others for the code points from 256 on.
std::string byte_token(unsigned char byte) {
  if (printable_latin1(byte)) return utf8(byte);
  unsigned hidden_before = 0;
  for (unsigned b = 0; b < byte; ++b) hidden_before += printable_latin1(b) ? 0 : 1;
  return utf8(256 + hidden_before);
}

GgufBuilder TinyModel::builder() const {
  return Model(*this).run();
}

}  // namespace lfm::test
