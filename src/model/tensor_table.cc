#include "model/tensor_table.h"

#include <algorithm>
#include <map>
#include <type_traits>
#include <utility>

#include "base/try.h"
#include "base/words.h"

namespace lfm::model {
namespace {

using ops::Attention;
using ops::DenseFfn;
using ops::Experts;
using ops::ShortConv;
using enum Kind;
using enum Size;

// Hugging Face's names: transformers, models/lfm2/modeling_lfm2.py and models/lfm2_moe/modeling_lfm2_moe.py.
constexpr TensorRow kModelRows[] = {
    {&Weights::embedding, "token_embd.weight", "model.embed_tokens.weight", kMatrix, {V, H}},
    {&Weights::output_norm, "token_embd_norm.weight", "model.embedding_norm.weight", kVector, {H}},
    {&Weights::head, "output.weight", "lm_head.weight", kMatrix, {V, H}, true},  // if it isn't the embedding
};

// Of a draft, before its layers and after; the names are llama.cpp's, src/models/dflash.cpp. Where embedding or head
// are missing they are the target's.
constexpr TensorRow kDraftFront[] = {
    {&DraftEnds::taps, "fc.weight", "", kMatrix, {H, TH}},
    {&DraftEnds::taps_norm, "enc.output_norm.weight", "", kVector, {H}},
    {&Weights::embedding, "token_embd.weight", "", kMatrix, {V, H}, true},
};
constexpr TensorRow kDraftBack[] = {
    {&Weights::output_norm, "output_norm.weight", "", kVector, {H}},
    {&Weights::head, "output.weight", "", kMatrix, {V, H}, true},
    {&DraftEnds::markov_in, "markov_w1.weight", "", kMatrix, {V, R}},
    {&DraftEnds::markov_out, "markov_w2.weight", "", kMatrix, {V, R}},
    {&DraftEnds::confidence, "conf_proj.weight", "", kVector, {HR}, true},
    {&DraftEnds::confidence_bias, "conf_proj.bias", "", kVector, {One}, true},
};

// clang-format off
constexpr TensorRow kLayerRows[] = {
    {&Layer::operator_norm, "attn_norm.weight", "operator_norm.weight", kVector, {H}},

    {&ShortConv::in_proj, "shortconv.in_proj.weight", "conv.in_proj.weight", kDense, {H3, H}},
    {&ShortConv::taps, "shortconv.conv.weight", "conv.conv.weight", kTaps, {H, L}},
    {&ShortConv::out_proj, "shortconv.out_proj.weight", "conv.out_proj.weight", kDense, {H, H}},

    {&Attention::q, "attn_q.weight", "self_attn.q_proj.weight", kDense, {A, H}},
    {&Attention::k, "attn_k.weight", "self_attn.k_proj.weight", kDense, {K, H}},
    {&Attention::v, "attn_v.weight", "self_attn.v_proj.weight", kDense, {K, H}},
    {&Attention::q_norm, "attn_q_norm.weight", "self_attn.q_layernorm.weight", kVector, {D}},
    {&Attention::k_norm, "attn_k_norm.weight", "self_attn.k_layernorm.weight", kVector, {D}},
    {&Attention::o, "attn_output.weight", "self_attn.out_proj.weight", kDense, {H, A}},

    {&Layer::ffn_norm, "ffn_norm.weight", "ffn_norm.weight", kVector, {H}},

    {&DenseFfn::gate, "ffn_gate.weight", "feed_forward.w1.weight", kDense, {F, H}},
    {&DenseFfn::up, "ffn_up.weight", "feed_forward.w3.weight", kDense, {F, H}},
    {&DenseFfn::down, "ffn_down.weight", "feed_forward.w2.weight", kDense, {H, F}},

    {&Experts::router, "ffn_gate_inp.weight", "feed_forward.gate.weight", kRouter, {E, H}},
    {&Experts::bias, "exp_probs_b.bias", "feed_forward.expert_bias", kVector, {E}},
    {&Experts::gate, "ffn_gate_exps.weight", "feed_forward.experts.*.w1.weight", kExperts, {F, H}},
    {&Experts::up, "ffn_up_exps.weight", "feed_forward.experts.*.w3.weight", kExperts, {F, H}},
    {&Experts::down, "ffn_down_exps.weight", "feed_forward.experts.*.w2.weight", kExperts, {H, F}},
};
// clang-format on

bool allowed(Kind kind, const std::optional<WeightFormat>& format) {
  if (!format) return false;
  return kind == kDense || kind == kMatrix || kind == kExperts || std::holds_alternative<kernels::FloatFormat>(*format);
}

std::string allowed_types(Kind kind) {
  std::vector<std::string_view> names;
  for (const kernels::FloatInfo& row : kernels::kFloatFormats) names.push_back(row.name);
  if (kind == kDense || kind == kMatrix || kind == kExperts) {
    for (const kernels::BlockInfo& row : kernels::kBlockFormats) names.push_back(row.name);
  }
  return base::one_of(names);
}

// Whether it stands behind the mixer and is multiplied with tokens.
bool follows_mixer(const TensorRow& row) {
  return row.member == Member(&ShortConv::out_proj) || row.member == Member(&Attention::o) ||
         std::holds_alternative<ops::Matrix DenseFfn::*>(row.member) ||
         std::holds_alternative<ops::Matrix Experts::*>(row.member);
}

std::uint64_t length(Size size, const Config& config, const LayerConfig& layer) {
  switch (size) {
    case kNone:
      break;
    case V:
      return config.vocab;
    case H:
      return config.hidden;
    case H3:
      return 3 * config.hidden;
    case A:
      return config.heads * config.head_dim;
    case K:
      return layer.kv_heads * config.head_dim;
    case D:
      return config.head_dim;
    case L:
      return config.conv_taps;
    case F:
      return layer.ffn_width;
    case E:
      return config.experts;
    case TH:
      return config.draft.taps.size() * config.hidden;
    case R:
      return config.draft.markov_rank;
    case HR:
      return config.hidden + config.draft.markov_rank;
    case One:
      break;
  }
  return 1;
}

using Dims = std::vector<std::uint64_t>;

// As the file's own format writes them: GGUF the fastest first.
std::string describe(Dims dims, Naming naming) {
  if (naming == Naming::kGguf) std::reverse(dims.begin(), dims.end());
  std::string text = "[";
  for (std::size_t i = 0; i < dims.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(dims[i]);
  return text + "]";
}

// Outermost dimensions of 1 say nothing.
Dims without_outer_ones(Dims dims) {
  while (dims.size() > 1 && dims.front() == 1) dims.erase(dims.begin());
  return dims;
}

constexpr const char* kOtherOutputNorm = "output_norm.weight";
constexpr const char* kGateUp = "ffn_gate_up_exps.weight";

// Whether a layer has a tensor of that name in GGUF files.
bool is_known(std::string_view name) {
  return std::any_of(std::begin(kLayerRows), std::end(kLayerRows),
                     [name](const TensorRow& row) { return name == row.gguf; });
}

class Matcher {
 public:
  Matcher(std::span<const FileTensor> listed, Naming naming, const Config& config)
      : listed_(listed), naming_(naming), config_(config), taken_(listed.size(), false) {}

  Result<TensorTable> run() {
    LFM_TRY(index());
    const std::span<const TensorRow> model(kModelRows);
    for (const TensorRow& row : config_.drafts() ? std::span<const TensorRow>(kDraftFront) : model.first(1))
      LFM_TRY(match(row, 0));
    for (std::size_t i = 0; i < config_.layers.size(); ++i) {
      for (const TensorRow& row : kLayerRows) {
        if (has(config_.layers[i], row)) LFM_TRY(match(row, i));
      }
    }
    for (const TensorRow& row : config_.drafts() ? std::span<const TensorRow>(kDraftBack) : model.subspan(1))
      LFM_TRY(match(row, 0));
    LFM_TRY(check_all_taken());
    table_.totals = totals_of(table_.tensors, config_);
    return std::move(table_);
  }

 private:
  Status index();
  Status match(const TensorRow& row, std::size_t layer);
  Status match_half(Tensor tensor, bool second);
  std::optional<std::size_t> find(const TensorRow& row, const std::string& name) const;
  Error missing(const std::string& name) const;
  Status check(const TensorRow& row, const FileTensor& found, const Dims& dims) const;
  Status check_all_taken() const;

  std::span<const FileTensor> listed_;
  Naming naming_;
  const Config& config_;
  std::map<std::string_view, std::size_t> by_name_;
  std::vector<bool> taken_;  // by position in the list
  TensorTable table_;
};

Status Matcher::index() {
  for (std::size_t i = 0; i < listed_.size(); ++i) {
    if (!by_name_.emplace(listed_[i].name, i).second)
      return Error{ErrorCode::kFormat, "the tensor is there twice", std::string(listed_[i].name), i,
                   listed_[i].place.offset};
  }
  return {};
}

// By its name, or by the one that it has in files that were made for Ollama.
std::optional<std::size_t> Matcher::find(const TensorRow& row, const std::string& name) const {
  auto at = by_name_.find(name);
  if (at == by_name_.end() && naming_ == Naming::kGguf && row.member == Member(&Weights::output_norm))
    at = by_name_.find(kOtherOutputNorm);
  return at == by_name_.end() ? std::nullopt : std::optional(at->second);
}

// With a tensor that stands where it would have stood, if there is one that nothing else is called.
Error Matcher::missing(const std::string& name) const {
  Error error{ErrorCode::kFormat, "the tensor is missing", name};
  const std::string_view folder = std::string_view(name).substr(0, name.find('.', name.find('.') + 1) + 1);
  for (const FileTensor& tensor : listed_) {
    if (!name.starts_with("blk.") || !tensor.name.starts_with(folder) || is_known(tensor.name.substr(folder.size())))
      continue;
    error.message += "; the file has " + std::string(tensor.name) + ", which isn't known";
    break;
  }
  return error;
}

// Gates and ups of a layer's experts may lie in one tensor: of each expert first the one and then the other.
Status Matcher::match_half(Tensor tensor, bool second) {
  const auto at = by_name_.find("blk." + std::to_string(tensor.layer) + "." + kGateUp);
  if (at == by_name_.end()) return missing(name_of(*tensor.row, naming_, tensor.layer, 0));
  tensor.file = listed_[at->second];
  LFM_TRY(check(*tensor.row, tensor.file, {config_.experts, 2 * tensor.rows, tensor.columns}));
  taken_[at->second] = true;
  const std::uint64_t half = tensor.rows * tensor.row_bytes();
  for (std::size_t i = 0; i < config_.experts; ++i)
    tensor.places.push_back({tensor.file.place.file, tensor.file.place.offset + (2 * i + (second ? 1 : 0)) * half});
  table_.tensors.push_back(std::move(tensor));
  return {};
}

Status Matcher::match(const TensorRow& row, std::size_t layer) {
  const bool experts = row.kind == kExperts;
  const bool one_each = experts && naming_ == Naming::kHuggingFace;
  const std::size_t files = one_each ? config_.experts : 1;
  Dims dims;
  for (const Size size : row.shape) {
    if (size != kNone) dims.push_back(length(size, config_, config_.layers[layer]));
  }
  Tensor tensor{&row, layer, {}, {}, dims.size() == 1 ? 1 : dims[0], dims.back()};
  if (experts && !one_each) dims.insert(dims.begin(), config_.experts);
  if (row.kind == kTaps && naming_ == Naming::kHuggingFace) dims.insert(dims.begin() + 1, 1);  // of a Conv1d
  for (std::size_t i = 0; i < files; ++i) {
    const std::string name = name_of(row, naming_, layer, i);
    const std::optional<std::size_t> at = find(row, name);
    if (!at && row.optional) return {};
    const bool up = row.member == Member(&Experts::up);
    if (!at && naming_ == Naming::kGguf && (up || row.member == Member(&Experts::gate)))
      return match_half(std::move(tensor), up);
    if (!at) return missing(name);
    const FileTensor& found = listed_[*at];
    LFM_TRY(check(row, found, dims));
    if (i > 0 && found.format != tensor.file.format) {
      return Error{ErrorCode::kUnsupported,
                   "the type isn't that of the other experts, " + std::string(tensor.file.type), name};
    }
    taken_[*at] = true;
    if (i == 0) tensor.file = found;
    tensor.places.push_back(found.place);
  }
  for (std::size_t i = 1; experts && !one_each && i < config_.experts; ++i) {
    const std::uint64_t bytes = tensor.rows * tensor.row_bytes();
    tensor.places.push_back({tensor.file.place.file, tensor.file.place.offset + i * bytes});
  }
  table_.tensors.push_back(std::move(tensor));
  return {};
}

Status Matcher::check(const TensorRow& row, const FileTensor& found, const Dims& dims) const {
  const Dims there = without_outer_ones(Dims(found.dims.begin(), found.dims.begin() + found.rank));
  const Dims expected = without_outer_ones(dims);
  if (there != expected) {
    return Error{ErrorCode::kFormat,
                 "the shape is " + describe(there, naming_) + ", expected " + describe(expected, naming_),
                 std::string(found.name)};
  }
  if (allowed(row.kind, found.format)) return {};
  return Error{ErrorCode::kUnsupported,
               "type " + std::string(found.type) + " isn't supported here; " + allowed_types(row.kind) + " are",
               std::string(found.name)};
}

Status Matcher::check_all_taken() const {
  const auto left = std::find(taken_.begin(), taken_.end(), false);
  if (left == taken_.end()) return {};
  const auto index = static_cast<std::size_t>(left - taken_.begin());
  return Error{ErrorCode::kFormat, "the tensor doesn't belong to this model's configuration",
               std::string(listed_[index].name), index};
}

}  // namespace

TensorTotals totals_of(const std::vector<Tensor>& tensors, const Config& config) {
  TensorTotals totals;
  const bool tied =
      std::ranges::none_of(tensors, [](const Tensor& tensor) { return tensor.row->member == Member(&Weights::head); });
  for (const Tensor& tensor : tensors) {
    const std::uint64_t used =
        tensor.row->kind == kExperts ? config.experts_used : tensor.count();  // matrices for each token
    const std::uint64_t active = tensor.elements() / tensor.count() * used;
    const bool end = std::holds_alternative<ops::Matrix Weights::*>(tensor.row->member);
    const bool last = tensor.layer + 1 == config.layers.size() && follows_mixer(*tensor.row);
    totals.parameters += tensor.elements();
    totals.bytes += tensor.bytes();
    totals.active_parameters += active;
    if (!end && !last) totals.prompt_parameters += active;
    // Of an embedding that isn't the head too, a token reads one row.
    const bool one_row = !tied && tensor.row->member == Member(&Weights::embedding);
    totals.bytes_per_token += one_row ? tensor.row_bytes() : tensor.bytes() / tensor.count() * used;
  }
  return totals;
}

std::uint64_t FileTensor::elements() const noexcept {
  std::uint64_t product = 1;
  for (std::uint32_t i = 0; i < rank; ++i) product *= dims[i];
  return product;
}

std::span<const TensorRow> model_rows() noexcept {
  return kModelRows;
}

std::span<const TensorRow> layer_rows() noexcept {
  return kLayerRows;
}

bool has(const LayerConfig& layer, const TensorRow& row) noexcept {
  const auto of_class = [&]<typename T, typename Class>(T Class::*) {
    if constexpr (std::is_same_v<Class, ShortConv>) return !layer.attention();
    if constexpr (std::is_same_v<Class, Attention>) return layer.attention();
    if constexpr (std::is_same_v<Class, DenseFfn>) return !layer.moe;
    if constexpr (std::is_same_v<Class, Experts>) return layer.moe;
    return true;
  };
  return std::visit(of_class, row.member);
}

std::string name_of(const TensorRow& row, Naming naming, std::size_t layer, std::size_t expert) {
  const bool of_layer = row.member.index() >= Member(static_cast<const float * Layer::*>(nullptr)).index();
  std::string name = naming == Naming::kGguf ? row.gguf : row.hugging_face;
  if (const std::size_t star = name.find('*'); star != std::string::npos) name.replace(star, 1, std::to_string(expert));
  if (of_layer) name.insert(0, (naming == Naming::kGguf ? "blk." : "model.layers.") + std::to_string(layer) + ".");
  return name;
}

Result<TensorTable> match_tensors(std::span<const FileTensor> listed, Naming naming, const Config& config) {
  return Matcher(listed, naming, config).run();
}

}  // namespace lfm::model
