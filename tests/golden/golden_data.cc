#include "golden/golden_data.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <type_traits>

#include "format/tensor_type.h"

namespace lfm::test {
namespace {

using format::TensorType;

class Reader {
 public:
  explicit Reader(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(in), {});
  }

  std::string_view bytes(std::size_t count) {
    if (count > bytes_.size() - at_) throw std::runtime_error("the golden file ends early");
    at_ += count;
    return std::string_view(bytes_).substr(at_ - count, count);
  }

  template <typename T>
  std::vector<T> array(std::size_t count) {
    std::vector<T> out(count);
    std::memcpy(out.data(), bytes(count * sizeof(T)).data(), count * sizeof(T));
    return out;
  }

  template <typename T>
  T number() {
    return array<T>(1)[0];
  }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

// ---- weights: a function of the tensor's index and type. make_golden.py has the same.

// SplitMix64 of the tensor's index and the number of the 8-byte word.
void fill_noise(std::uint64_t seed, std::uint64_t tensor, std::span<char> out) {
  for (std::size_t i = 0; i < out.size(); i += 8) {
    std::uint64_t x = (i / 8 + 1 + (seed << 56) + (tensor << 40)) * 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    x ^= x >> 31;
    std::memcpy(out.data() + i, &x, std::min<std::size_t>(8, out.size() - i));
  }
}

std::uint32_t get16(const char* at) {
  std::uint16_t bits;
  std::memcpy(&bits, at, sizeof bits);
  return bits;
}

void put16(char* at, std::uint32_t bits) {
  const auto narrow = static_cast<std::uint16_t>(bits);
  std::memcpy(at, &narrow, sizeof narrow);
}

struct ScaleRule {
  std::uint32_t exponent;
  bool negative;          // where its noise says so
  std::uint32_t minimum;  // powers of two that it is above the scale; 0 where there is none
};

ScaleRule scale_rule(TensorType type) {
  switch (type) {
    case TensorType::kQ4_0:
      return {8, true, 0};
    case TensorType::kQ4_1:
      return {8, false, 3};
    case TensorType::kQ5_0:
      return {7, true, 0};
    case TensorType::kQ5_1:
      return {7, false, 4};
    case TensorType::kQ8_0:
      return {4, false, 0};
    case TensorType::kQ4_K:
      return {3, false, 3};
    case TensorType::kQ5_K:
      return {2, false, 4};
    case TensorType::kQ6_K:
      return {2, false, 0};
    default:
      throw std::runtime_error("the golden file has a tensor of an unexpected type");
  }
}

void shape_block(TensorType type, const ScaleRule& rule, std::span<char> block) {
  const bool k_quant = type == TensorType::kQ4_K || type == TensorType::kQ5_K;
  char* scale = block.data() + (type == TensorType::kQ6_K ? block.size() - 2 : 0);
  const std::uint32_t raw = get16(scale);
  put16(scale, (raw & 0x3ff) | rule.exponent << 10 | (rule.negative ? raw & 0x8000 : 0));
  if (rule.minimum != 0) {  // K-quants subtract it, the others add it
    put16(block.data() + 2, (raw & 0x3ff) | (rule.exponent + rule.minimum) << 10 | (k_quant ? 0 : 0x8000));
  }
  if (k_quant) {  // every sub-block's minimum like its scale
    std::copy_n(block.data() + 4, 4, block.data() + 8);
    for (std::size_t i = 12; i < 16; ++i) block[i] = static_cast<char>((block[i] & 15) * 17);
  }
  if (type == TensorType::kQ6_K) {
    for (std::size_t i = 192; i < 208; ++i) {
      block[i] = static_cast<char>(static_cast<signed char>(block[i]) >> 2);
    }
  }
}

void fill_floats(std::span<char> out, float centre, float scale) {
  for (std::size_t i = out.size() / 4; i-- > 0;) {  // backwards: the noise is half as long as the floats
    const auto steps = static_cast<float>(static_cast<std::int32_t>(get16(out.data() + 2 * i)) - 32768);
    const float value = centre + scale * steps;
    std::memcpy(out.data() + 4 * i, &value, sizeof value);
  }
}

void fill_tensor(std::uint64_t seed, std::uint64_t index, TensorType type, std::span<char> out, float centre,
                 float scale) {
  if (type == TensorType::kF32) {
    fill_noise(seed, index, out.first(out.size() / 2));
    return fill_floats(out, centre, scale);
  }
  fill_noise(seed, index, out);
  if (type == TensorType::kF16 || type == TensorType::kBF16) {
    for (std::size_t i = 0; i < out.size(); i += 2) {
      const std::uint32_t raw = get16(out.data() + i);
      put16(out.data() + i, type == TensorType::kF16 ? (raw & 0x83ff) | (11 - (raw >> 10 & 3)) << 10
                                                     : (raw & 0x807f) | (123 - (raw >> 7 & 3)) << 7);
    }
    return;
  }
  const ScaleRule rule = scale_rule(type);
  const std::size_t block = format::block_bytes(type);
  for (std::size_t i = 0; i < out.size(); i += block) shape_block(type, rule, out.subspan(i, block));
}

// The model file: its head as it is, and tensors that are made.
std::string read_model(Reader& in, std::uint32_t seed, std::uint32_t head, std::uint32_t size, std::uint32_t tensors) {
  std::string gguf(in.bytes(head));
  gguf.resize(size);
  for (std::uint32_t i = 0; i < tensors; ++i) {
    const auto place = in.array<std::uint32_t>(3);  // offset, type, blocks
    const auto spread = in.array<float>(2);
    const auto type = static_cast<TensorType>(place[1]);
    const std::size_t bytes = format::block_bytes(type) * place[2];
    if (place[0] > gguf.size() || bytes > gguf.size() - place[0]) {
      throw std::runtime_error("a tensor lies outside the golden model");
    }
    fill_tensor(seed, i, type, std::span(gguf).subspan(place[0], bytes), spread[0], spread[1]);
  }
  return gguf;
}

}  // namespace

Golden read_golden(const std::string& path) {
  Reader in(path);
  if (in.bytes(8) != "LFMGOLD1") throw std::runtime_error("not a golden file: " + path);
  const auto sizes = in.array<std::uint32_t>(7);
  const std::uint32_t prompts = sizes[4], greedy = sizes[6];
  Golden golden;
  golden.top = sizes[5];
  golden.gguf = read_model(in, sizes[0], sizes[1], sizes[2], sizes[3]);
  for (std::uint32_t i = 0; i < prompts; ++i) {
    const auto count = in.number<std::uint32_t>();
    GoldenPrompt prompt;
    prompt.ids = in.array<std::int32_t>(count);
    prompt.greedy = in.array<std::int32_t>(greedy);
    prompt.log_sum_exp = in.array<float>(count);
    prompt.top_ids = in.array<std::int32_t>(count * golden.top);
    prompt.top_logits = in.array<float>(count * golden.top);
    golden.prompts.push_back(std::move(prompt));
  }
  return golden;
}

DraftGolden read_draft_golden(const std::string& path) {
  Reader in(path);
  if (in.bytes(8) != "LFMDRAF1") throw std::runtime_error("not a golden file of a draft: " + path);
  const auto sizes = in.array<std::uint32_t>(9);
  const std::uint32_t cases = sizes[4], width = sizes[7], hidden = sizes[8];
  DraftGolden golden;
  golden.block = sizes[5];
  golden.vocab = sizes[6];
  golden.gguf = read_model(in, sizes[0], sizes[1], sizes[2], sizes[3]);
  for (std::uint32_t i = 0; i < cases; ++i) {
    const auto count = in.number<std::uint32_t>();
    DraftCase c;
    c.anchor = in.number<std::int32_t>();
    c.ids = in.array<std::int32_t>(count);
    c.tokens = in.array<std::int32_t>(golden.block);
    c.confidences = in.array<float>(golden.block);
    c.taps = in.array<float>(width);
    c.hidden = in.array<float>(golden.block * hidden);
    c.base = in.array<float>(golden.block * golden.vocab);
    golden.cases.push_back(std::move(c));
  }
  return golden;
}

double kl_divergence(const Golden& golden, const GoldenPrompt& prompt, std::size_t position,
                     std::span<const float> other) {
  const double peak = *std::max_element(other.begin(), other.end());
  double sum = 0;
  for (const float logit : other) sum += std::exp(logit - peak);
  const double log_sum_exp = peak + std::log(sum);
  double kl = 0, p_rest = 1, q_rest = 1;
  for (std::size_t i = position * golden.top; i < (position + 1) * golden.top; ++i) {
    const double p = static_cast<double>(prompt.top_logits[i]) - prompt.log_sum_exp[position];
    const double q = other[static_cast<std::size_t>(prompt.top_ids[i])] - log_sum_exp;
    kl += std::exp(p) * (p - q);
    p_rest -= std::exp(p);
    q_rest -= std::exp(q);
  }
  p_rest = std::clamp(p_rest, 1e-12, 1.0);
  q_rest = std::clamp(q_rest, 1e-12, 1.0);
  return kl + p_rest * std::log(p_rest / q_rest);
}

}  // namespace lfm::test
