#include "model/tensor_table.h"

#include <algorithm>
#include <utility>

#include "base/try.h"
#include "format/tensor_type.h"

namespace lfm::model {
namespace {

using Dims = std::array<std::uint64_t, 4>;
using format::TensorInfo;
using format::TensorType;

constexpr std::uint64_t kQuantizationVersion = 2;  // of ggml's block formats

enum class Kind : std::uint8_t {
  kVector,  // f32: norms, biases and the convolution's taps, which are used as they are
  kRouter,  // a matrix in a float type: quantising it would change which experts are chosen
  kMatrix,  // any type that the kernels run
};

bool allowed(Kind kind, TensorType type) {
  switch (kind) {
    case Kind::kVector:
      return type == TensorType::kF32;
    case Kind::kRouter:
      return format::float_format(type).has_value();
    case Kind::kMatrix:
      return format::float_format(type).has_value() || format::block_format(type).has_value();
  }
  return false;
}

const char* allowed_types(Kind kind) {
  switch (kind) {
    case Kind::kVector:
      return "F32";
    case Kind::kRouter:
      return "F32, F16 or BF16";
    case Kind::kMatrix:
      return "F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K or Q6_K";
  }
  return "";
}

std::string describe(const Dims& dims) {
  std::size_t rank = 4;
  while (rank > 1 && dims[rank - 1] == 1) --rank;
  std::string text = "[";
  for (std::size_t i = 0; i < rank; ++i) text += (i == 0 ? "" : ", ") + std::to_string(dims[i]);
  return text + "]";
}

class Matcher {
 public:
  Matcher(const format::Gguf& gguf, const Config& config)
      : gguf_(gguf), config_(config), taken_(gguf.tensors().size(), false) {}

  Result<TensorTable> run() {
    LFM_TRY(check_quantization_version());
    LFM_TRY(match_ends());
    table_.layers.resize(config_.layers.size());
    for (std::size_t i = 0; i < config_.layers.size(); ++i) LFM_TRY(match_layer(i));
    LFM_TRY(check_all_taken());
    table_.totals = sum();
    return std::move(table_);
  }

 private:
  Status check_quantization_version() const;
  Status match_ends();
  Status match_layer(std::size_t index);
  Status match_conv(const std::string& prefix, LayerTensors& layer);
  Status match_attention(const std::string& prefix, const LayerConfig& shape, LayerTensors& layer);
  Status match_dense(const std::string& prefix, const LayerConfig& shape, LayerTensors& layer);
  Status match_moe(const std::string& prefix, const LayerConfig& shape, LayerTensors& layer);
  Status match(Tensor& slot, const std::string& name, Kind kind, Dims dims);
  Status check_all_taken() const;
  TensorTotals sum() const;

  const format::Gguf& gguf_;
  const Config& config_;
  std::vector<bool> taken_;  // by position in the file
  TensorTable table_;
};

Status Matcher::check_quantization_version() const {
  constexpr std::string_view kKey = "general.quantization_version";
  const auto tensors = gguf_.tensors();
  const auto quantized =
      std::find_if(tensors.begin(), tensors.end(), [](const TensorInfo& t) { return format::is_quantized(t.type); });
  if (quantized == tensors.end()) return {};
  LFM_ASSIGN(const std::optional<std::uint64_t> version, gguf_.metadata().find_unsigned(kKey));
  if (version == kQuantizationVersion) return {};
  const std::string found = version ? "is " + std::to_string(*version) : "the key is missing";
  return gguf_.metadata().error(kKey, found + ", but quantised tensors are read in version 2 only",
                                ErrorCode::kUnsupported);
}

// Points `slot` to the tensor of that name, which must have these dimensions, fastest first.
Status Matcher::match(Tensor& slot, const std::string& name, Kind kind, Dims dims) {
  for (std::uint64_t& dim : dims) dim = std::max<std::uint64_t>(dim, 1);
  const Tensor found = gguf_.find(name);
  if (found == nullptr) return Error{ErrorCode::kFormat, "the tensor is missing", name};
  if (found->dims != dims) {
    return Error{ErrorCode::kFormat, "the shape is " + describe(found->dims) + ", expected " + describe(dims), name};
  }
  if (!allowed(kind, found->type)) {
    return Error{ErrorCode::kUnsupported,
                 "type " + std::string(to_string(found->type)) + " isn't supported here; " + allowed_types(kind) +
                     (kind == Kind::kVector ? " is" : " are"),
                 name};
  }
  slot = found;
  taken_[static_cast<std::size_t>(found - gguf_.tensors().data())] = true;
  return {};
}

Status Matcher::match_ends() {
  const std::uint64_t h = config_.hidden, vocab = config_.vocab;
  LFM_TRY(match(table_.embedding, "token_embd.weight", Kind::kMatrix, {h, vocab}));
  LFM_TRY(match(table_.output_norm, "token_embd_norm.weight", Kind::kVector, {h}));
  if (gguf_.find("output.weight") == nullptr) return {};
  return match(table_.output, "output.weight", Kind::kMatrix, {h, vocab});
}

Status Matcher::match_layer(std::size_t index) {
  const std::string prefix = "blk." + std::to_string(index) + ".";
  const LayerConfig& shape = config_.layers[index];
  LayerTensors& layer = table_.layers[index];
  LFM_TRY(match(layer.attn_norm, prefix + "attn_norm.weight", Kind::kVector, {config_.hidden}));
  LFM_TRY(shape.attention() ? match_attention(prefix, shape, layer) : match_conv(prefix, layer));
  LFM_TRY(match(layer.ffn_norm, prefix + "ffn_norm.weight", Kind::kVector, {config_.hidden}));
  return shape.moe ? match_moe(prefix, shape, layer) : match_dense(prefix, shape, layer);
}

Status Matcher::match_conv(const std::string& prefix, LayerTensors& layer) {
  const std::uint64_t h = config_.hidden;
  LFM_TRY(match(layer.in_proj, prefix + "shortconv.in_proj.weight", Kind::kMatrix, {h, 3 * h}));
  LFM_TRY(match(layer.conv, prefix + "shortconv.conv.weight", Kind::kVector, {config_.conv_taps, h}));
  return match(layer.out_proj, prefix + "shortconv.out_proj.weight", Kind::kMatrix, {h, h});
}

Status Matcher::match_attention(const std::string& prefix, const LayerConfig& shape, LayerTensors& layer) {
  const std::uint64_t h = config_.hidden, d = config_.head_dim;
  const std::uint64_t a = config_.heads * d, kv = shape.kv_heads * d;
  LFM_TRY(match(layer.q, prefix + "attn_q.weight", Kind::kMatrix, {h, a}));
  LFM_TRY(match(layer.k, prefix + "attn_k.weight", Kind::kMatrix, {h, kv}));
  LFM_TRY(match(layer.v, prefix + "attn_v.weight", Kind::kMatrix, {h, kv}));
  LFM_TRY(match(layer.o, prefix + "attn_output.weight", Kind::kMatrix, {a, h}));
  LFM_TRY(match(layer.q_norm, prefix + "attn_q_norm.weight", Kind::kVector, {d}));
  return match(layer.k_norm, prefix + "attn_k_norm.weight", Kind::kVector, {d});
}

Status Matcher::match_dense(const std::string& prefix, const LayerConfig& shape, LayerTensors& layer) {
  const std::uint64_t h = config_.hidden, f = shape.ffn_width;
  LFM_TRY(match(layer.gate, prefix + "ffn_gate.weight", Kind::kMatrix, {h, f}));
  LFM_TRY(match(layer.up, prefix + "ffn_up.weight", Kind::kMatrix, {h, f}));
  return match(layer.down, prefix + "ffn_down.weight", Kind::kMatrix, {f, h});
}

Status Matcher::match_moe(const std::string& prefix, const LayerConfig& shape, LayerTensors& layer) {
  const std::uint64_t h = config_.hidden, f = shape.ffn_width, e = config_.experts;
  LFM_TRY(match(layer.router, prefix + "ffn_gate_inp.weight", Kind::kRouter, {h, e}));
  LFM_TRY(match(layer.router_bias, prefix + "exp_probs_b.bias", Kind::kVector, {e}));
  LFM_TRY(match(layer.gate_exps, prefix + "ffn_gate_exps.weight", Kind::kMatrix, {h, f, e}));
  LFM_TRY(match(layer.up_exps, prefix + "ffn_up_exps.weight", Kind::kMatrix, {h, f, e}));
  return match(layer.down_exps, prefix + "ffn_down_exps.weight", Kind::kMatrix, {f, h, e});
}

Status Matcher::check_all_taken() const {
  const auto left = std::find(taken_.begin(), taken_.end(), false);
  if (left == taken_.end()) return {};
  const auto index = static_cast<std::size_t>(left - taken_.begin());
  return Error{ErrorCode::kFormat, "the tensor doesn't belong to this model's configuration",
               std::string(gguf_.tensors()[index].name), index};
}

TensorTotals Matcher::sum() const {
  TensorTotals totals;
  for (const TensorInfo& tensor : gguf_.tensors()) {
    totals.parameters += tensor.elements();
    totals.bytes += tensor.bytes;
  }
  totals.active_parameters = totals.parameters;
  totals.bytes_per_token = totals.bytes;
  const std::uint64_t idle = config_.experts - config_.experts_used;
  for (const LayerTensors& layer : table_.layers) {
    if (layer.router == nullptr) continue;
    for (const Tensor tensor : {layer.gate_exps, layer.up_exps, layer.down_exps}) {
      totals.active_parameters -= tensor->elements() / config_.experts * idle;
      totals.bytes_per_token -= tensor->bytes / config_.experts * idle;
    }
  }
  totals.prompt_parameters = totals.active_parameters - table_.embedding->elements();
  if (table_.output != nullptr) totals.prompt_parameters -= table_.output->elements();
  const LayerTensors& last = table_.layers.back();
  for (const Tensor tensor : {last.out_proj, last.o, last.gate, last.up, last.down, last.router}) {
    if (tensor != nullptr) totals.prompt_parameters -= tensor->elements();
  }
  for (const Tensor tensor : {last.gate_exps, last.up_exps, last.down_exps}) {
    if (tensor != nullptr) totals.prompt_parameters -= tensor->elements() / config_.experts * config_.experts_used;
  }
  // Of an embedding that isn't the head too, a token reads one row.
  if (table_.output != nullptr) {
    totals.bytes_per_token -= table_.embedding->bytes - table_.embedding->bytes / config_.vocab;
  }
  return totals;
}

}  // namespace

Result<TensorTable> match_tensors(const format::Gguf& gguf, const Config& config) {
  return Matcher(gguf, config).run();
}

}  // namespace lfm::model
