#include "source/hf_config.h"

#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "base/file.h"
#include "base/try.h"
#include "model/config.h"

namespace lfm::source {
namespace {

using Json = json::Value;
using model::Architecture;

constexpr std::uint64_t kMostLayers = 65536;  // read_config() has the real bound
constexpr double kMostChannels = 1u << 30;

Error wrong_member(const char* name, std::string message, ErrorCode code = ErrorCode::kFormat) {
  return Error{code, std::move(message), name};
}

class ConfigWriter {
 public:
  ConfigWriter(const Json& config, format::GgufWriter& keys) : config_(config), keys_(keys) {}

  Status run(const std::string& name) {
    LFM_TRY(architecture());
    keys_.set_string("general.architecture", to_string(architecture_));
    keys_.set_string("general.type", "model");
    keys_.set_string("general.name", name);
    LFM_TRY(copy("num_hidden_layers", "block_count"));
    LFM_TRY(copy("max_position_embeddings", "context_length"));
    LFM_TRY(copy("hidden_size", "embedding_length"));
    LFM_TRY(feed_forward());
    LFM_TRY(copy("num_attention_heads", "attention.head_count"));
    LFM_TRY(layers());
    LFM_TRY(head_dim());
    LFM_TRY(rotation());
    LFM_TRY(copy_real("norm_eps", "attention.layer_norm_rms_epsilon"));
    if (architecture_ == Architecture::kLfm2Moe) LFM_TRY(experts());
    LFM_TRY(copy("vocab_size", "vocab_size"));
    LFM_TRY(copy("conv_L_cache", "shortconv.l_cache"));
    return refuse_true("conv_bias", "convolutions with a bias aren't supported");
  }

 private:
  std::string key(const char* name) const { return std::string(to_string(architecture_)) + "." + name; }

  Result<std::uint32_t> number(const char* member) const {
    LFM_ASSIGN(const std::uint64_t value, json::require_unsigned(config_, member));
    if (value > std::numeric_limits<std::int32_t>::max()) return wrong_member(member, "is too large");
    return static_cast<std::uint32_t>(value);
  }
  Status copy(const char* member, const char* name) {
    LFM_ASSIGN(const std::uint32_t value, number(member));
    keys_.set_u32(key(name), value);
    return {};
  }
  Status copy_real(const char* member, const char* name) {
    LFM_ASSIGN(const std::optional<double> value, json::find_number(config_, member));
    if (!value) return wrong_member(member, "is missing");
    keys_.set_f32(key(name), static_cast<float>(*value));
    return {};
  }
  Status refuse_true(const char* member, const char* message) const {
    LFM_ASSIGN(const std::optional<bool> value, json::find_bool(config_, member));
    return value.value_or(false) ? Status(wrong_member(member, message, ErrorCode::kUnsupported)) : Status();
  }

  Status architecture();
  Status feed_forward();
  Status layers();
  Result<std::vector<bool>> attention_layers() const;
  Status head_dim();
  Status rotation();
  Status experts();

  const Json& config_;
  format::GgufWriter& keys_;
  Architecture architecture_ = Architecture::kLfm2;
};

Status ConfigWriter::architecture() {
  LFM_ASSIGN(const std::optional<std::string> type, json::find_text(config_, "model_type"));
  if (!type) return wrong_member("model_type", "is missing");
  if (*type == "lfm2") return {};
  if (*type != "lfm2_moe") {
    return wrong_member("model_type", "'" + base::printable(*type, 64) + "' isn't supported; lfm2 and lfm2_moe are",
                        ErrorCode::kUnsupported);
  }
  architecture_ = Architecture::kLfm2Moe;
  return {};
}

// transformers' Lfm2MLP: older configurations give a width that is yet to be adjusted.
Status ConfigWriter::feed_forward() {
  const char* member = json::given(config_, "block_ff_dim") != nullptr ? "block_ff_dim" : "intermediate_size";
  LFM_ASSIGN(std::uint32_t width, number(member));
  LFM_ASSIGN(const std::optional<bool> adjust, json::find_bool(config_, "block_auto_adjust_ff_dim"));
  if (architecture_ == Architecture::kLfm2 && adjust.value_or(true)) {
    LFM_ASSIGN(const std::optional<double> factor, json::find_number(config_, "block_ffn_dim_multiplier"));
    LFM_ASSIGN(const std::optional<std::uint64_t> step, json::find_unsigned(config_, "block_multiple_of"));
    const double scaled = factor.value_or(1) * static_cast<double>(std::uint64_t{width} * 2 / 3);
    const std::uint64_t multiple = step.value_or(256);
    if (!(scaled >= 0 && scaled <= kMostChannels)) return wrong_member("block_ffn_dim_multiplier", "is out of range");
    if (multiple == 0 || multiple > 65536) return wrong_member("block_multiple_of", "is out of range");
    width = static_cast<std::uint32_t>((static_cast<std::uint64_t>(scaled) + multiple - 1) / multiple * multiple);
  }
  keys_.set_u32(key("feed_forward_length"), width);
  return {};
}

Result<std::vector<bool>> ConfigWriter::attention_layers() const {
  std::vector<bool> attention;
  if (const Json* types = json::given(config_, "layer_types"); types != nullptr) {
    if (!types->is_array()) return wrong_member("layer_types", "expected a list");
    for (const Json& type : types->items) {
      if (!type.is_text() || (type.text != "conv" && type.text != "full_attention")) {
        Error error = wrong_member("layer_types", "expected conv or full_attention", ErrorCode::kUnsupported);
        error.index = attention.size();
        return error;
      }
      attention.push_back(type.text == "full_attention");
    }
    return attention;
  }
  LFM_ASSIGN(const std::uint32_t count, number("num_hidden_layers"));
  const Json* numbers = json::given(config_, "full_attn_idxs");
  if (numbers == nullptr || !numbers->is_array()) return wrong_member("layer_types", "is missing");
  if (count > kMostLayers) return wrong_member("num_hidden_layers", "is too large");
  attention.resize(count);
  for (const Json& number : numbers->items) {
    const std::optional<std::uint64_t> layer = number.whole();
    if (!layer || *layer >= count) return wrong_member("full_attn_idxs", "expected numbers of layers");
    attention[*layer] = true;
  }
  return attention;
}

Status ConfigWriter::layers() {
  LFM_ASSIGN(const std::uint32_t heads, number("num_key_value_heads"));
  LFM_ASSIGN(const std::vector<bool> attention, attention_layers());
  std::vector<std::int32_t> kv_heads;
  for (const bool is_attention : attention) kv_heads.push_back(is_attention ? static_cast<std::int32_t>(heads) : 0);
  keys_.set_i32s(key("attention.head_count_kv"), kv_heads);
  return {};
}

Status ConfigWriter::head_dim() {
  LFM_ASSIGN(const std::optional<std::uint64_t> dim, json::find_unsigned(config_, "head_dim"));
  if (!dim) return {};
  LFM_TRY(copy("head_dim", "attention.key_length"));
  return copy("head_dim", "attention.value_length");
}

// Newer configurations have an object, older ones the base alone.
Status ConfigWriter::rotation() {
  const Json* parameters = json::given(config_, "rope_parameters");
  const Json& place = parameters != nullptr ? *parameters : config_;
  LFM_ASSIGN(const std::optional<double> base, json::find_number(place, "rope_theta"));
  if (!base) return wrong_member("rope_theta", "is missing");
  keys_.set_f32(key("rope.freq_base"), static_cast<float>(*base));
  const Json* scaling = parameters != nullptr ? parameters : json::given(config_, "rope_scaling");
  if (scaling == nullptr) return {};
  LFM_ASSIGN(const std::optional<std::string> type, json::find_text(*scaling, "rope_type"));
  if (type.value_or("default") == "default") return {};
  return wrong_member("rope_type", "rotary scaling isn't supported", ErrorCode::kUnsupported);
}

Status ConfigWriter::experts() {
  constexpr std::uint32_t kSigmoidGate = 2;
  LFM_TRY(copy("num_experts", "expert_count"));
  LFM_TRY(copy("num_experts_per_tok", "expert_used_count"));
  LFM_TRY(copy("moe_intermediate_size", "expert_feed_forward_length"));
  LFM_TRY(copy("num_dense_layers", "leading_dense_block_count"));
  keys_.set_u32(key("expert_gating_func"), kSigmoidGate);
  LFM_ASSIGN(const std::optional<bool> norm, json::find_bool(config_, "norm_topk_prob"));
  LFM_ASSIGN(const std::optional<bool> bias, json::find_bool(config_, "use_expert_bias"));
  LFM_ASSIGN(const std::optional<double> scale, json::find_number(config_, "routed_scaling_factor"));
  if (!norm.value_or(true)) {
    return wrong_member("norm_topk_prob", "expert weights that aren't normalised aren't supported",
                        ErrorCode::kUnsupported);
  }
  if (!bias.value_or(true)) {
    return wrong_member("use_expert_bias", "experts without a bias aren't supported", ErrorCode::kUnsupported);
  }
  if (scale.value_or(1) != 1) {
    return wrong_member("routed_scaling_factor", "expert weights with a scale aren't supported",
                        ErrorCode::kUnsupported);
  }
  return {};
}

}  // namespace

Status write_config_keys(const Json& config, const std::string& name, format::GgufWriter& keys) {
  return ConfigWriter(config, keys).run(name);
}

Status write_sampling_keys(const Json& generation, format::GgufWriter& keys) {
  constexpr std::pair<const char*, const char*> kFloatKeys[] = {{"temperature", "general.sampling.temp"},
                                                             {"top_p", "general.sampling.top_p"},
                                                             {"min_p", "general.sampling.min_p"},
                                                             {"repetition_penalty", "general.sampling.penalty_repeat"}};
  for (const auto& [member, key] : kFloatKeys) {
    LFM_ASSIGN(const std::optional<double> value, json::find_number(generation, member));
    if (value) keys.set_f32(key, static_cast<float>(*value));
  }
  LFM_ASSIGN(const std::optional<std::uint64_t> top_k, json::find_unsigned(generation, "top_k"));
  if (!top_k) return {};
  if (*top_k > std::numeric_limits<std::int32_t>::max()) return wrong_member("top_k", "is too large");
  keys.set_u32("general.sampling.top_k", static_cast<std::uint32_t>(*top_k));
  return {};
}

}  // namespace lfm::source
