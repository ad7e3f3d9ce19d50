#include "source/gguf_config.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>

#include "base/file.h"
#include "base/try.h"
#include "source/gguf_features.h"

namespace lfm::source {
namespace {

using model::Architecture;
using model::Config;

// Bounds far beyond any known model of the family, near enough that sizes computed from them can't wrap.
constexpr std::uint64_t kMaxLayers = 512;
constexpr std::uint64_t kMaxHidden = 65536;
constexpr std::uint64_t kMaxWidth = std::uint64_t{1} << 20;
constexpr std::uint64_t kMaxVocab = std::uint64_t{1} << 20;
constexpr std::uint64_t kMaxHeads = 1024;
constexpr std::uint64_t kMaxHeadDim = 256;
constexpr std::uint64_t kMaxExperts = 512;
constexpr std::uint64_t kMaxExpertsUsed = 64;
constexpr std::uint64_t kMaxConvTaps = 8;
constexpr std::uint64_t kMaxContext = ~std::uint32_t{0};
constexpr std::uint64_t kStep = 32;  // columns of a quantised block: every matrix is whole blocks wide

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

class ConfigReader {
 public:
  explicit ConfigReader(const format::Metadata& metadata) : metadata_(metadata) {}

  Result<Config> run() {
    LFM_TRY(read_kind());
    LFM_TRY(read_architecture());
    read_kin();
    LFM_TRY(read_sizes());
    LFM_TRY(read_vocab());
    LFM_TRY(read_heads());
    LFM_TRY(config_.drafts() ? read_draft() : read_layer_map());
    LFM_TRY(read_experts());
    LFM_TRY(read_ffn_widths());
    LFM_TRY(read_constants());
    LFM_TRY(check_features(metadata_, config_));
    return std::move(config_);
  }

 private:
  std::string key(const char* name) const { return std::string(to_string(config_.architecture)) + "." + name; }

  // An error about the value of a key.
  Error error(const std::string& name, std::string message, ErrorCode code = ErrorCode::kFormat) const {
    return metadata_.error(name, std::move(message), code);
  }

  Status check_range(const std::string& name, std::uint64_t value, std::uint64_t least, std::uint64_t most) const {
    if (value >= least && value <= most) return {};
    return error(name,
                 "is " + std::to_string(value) + ", expected " + std::to_string(least) + " to " + std::to_string(most));
  }

  Status check_multiple(const std::string& name, std::uint64_t value, std::uint64_t step) const {
    if (value % step == 0) return {};
    return error(name, "is " + std::to_string(value) + ", expected a multiple of " + std::to_string(step));
  }

  Result<std::size_t> size(const std::string& name, std::uint64_t least, std::uint64_t most) const {
    LFM_ASSIGN(const std::uint64_t value, metadata_.require_unsigned(name));
    LFM_TRY(check_range(name, value, least, most));
    return static_cast<std::size_t>(value);
  }

  Result<double> real(const std::string& name, double least, double most) const {
    LFM_ASSIGN(const double value, metadata_.require_float(name));
    if (value >= least && value <= most) return value;  // not so for NaN
    return error(name, "is " + number(value) + ", expected " + number(least) + " to " + number(most));
  }

  Status read_kind() const;
  Status read_architecture();
  void read_kin();
  Status read_sizes();
  Status read_vocab();
  Status read_heads();
  Status read_layer_map();
  Status read_draft();
  Status read_experts();
  Status read_ffn_widths();
  Status read_constants();

  const format::Metadata& metadata_;
  Config config_;
};

// GGUF is the format of other things too, which are spread beside models.
Status ConfigReader::read_kind() const {
  constexpr std::string_view kKey = "general.type";
  LFM_ASSIGN(const std::optional<std::string_view> kind, metadata_.find_string(kKey));
  if (!kind || *kind == "model" || kind->empty()) return {};
  return error(std::string(kKey), "the file is of type '" + base::printable(*kind, 64) + "', and no model",
               ErrorCode::kUnsupported);
}

Status ConfigReader::read_architecture() {
  LFM_ASSIGN(const std::string_view name, metadata_.require_string("general.architecture"));
  if (name == to_string(Architecture::kLfm2)) {
    config_.architecture = Architecture::kLfm2;
  } else if (name == to_string(Architecture::kLfm2Moe)) {
    config_.architecture = Architecture::kLfm2Moe;
  } else if (name == to_string(Architecture::kDflash)) {
    config_.architecture = Architecture::kDflash;
  } else {
    return error("general.architecture", "'" + base::printable(name, 64) + "' isn't supported; lfm2 and lfm2moe are",
                 ErrorCode::kUnsupported);
  }
  LFM_ASSIGN(const std::optional<std::string_view> title, metadata_.find_string("general.name"));
  config_.name = title.value_or("");
  return {};
}

// What the makers of files write of a model's origin; a key of another type tells nothing.
void ConfigReader::read_kin() {
  std::string base;
  std::string parents;
  std::string tags;
  for (const format::Metadata::Entry& entry : metadata_.entries()) {
    const std::string_view name = entry.key;
    const bool parent =
        name.starts_with("general.base_model.") && (name.ends_with(".name") || name.ends_with(".repo_url"));
    if (const auto text = metadata_.find_string(name); parent && text.ok()) parents.append(**text) += ' ';
  }
  for (const char* name : {"general.basename", "general.finetune"}) {
    if (const auto text = metadata_.find_string(name); text.ok() && *text) base.append(**text) += ' ';
  }
  if (const auto all = metadata_.find_strings("general.tags"); all.ok() && *all) {
    for (std::size_t i = 0; i < (*all)->size(); ++i) tags.append((**all)[i]) += ' ';
  }
  config_.kin = {config_.name, std::move(base), std::move(parents), std::move(tags)};
}

Status ConfigReader::read_sizes() {
  LFM_ASSIGN(const std::size_t layers, size(key("block_count"), 1, kMaxLayers));
  config_.layers.resize(layers);
  LFM_ASSIGN(config_.hidden, size(key("embedding_length"), kStep, kMaxHidden));
  LFM_TRY(check_multiple(key("embedding_length"), config_.hidden, kStep));
  LFM_ASSIGN(config_.context_length, size(key("context_length"), 1, kMaxContext));
  if (config_.drafts()) return {};
  LFM_ASSIGN(config_.conv_taps, size(key("shortconv.l_cache"), 2, kMaxConvTaps));
  return {};
}

// The number of tokens stands in a key, in the length of the vocabulary, or in both.
Status ConfigReader::read_vocab() {
  LFM_ASSIGN(const auto tokens, metadata_.find_strings("tokenizer.ggml.tokens"));
  if (tokens && !metadata_.contains(key("vocab_size"))) {
    config_.vocab = tokens->size();
    return check_range("tokenizer.ggml.tokens", config_.vocab, 1, kMaxVocab);
  }
  LFM_ASSIGN(config_.vocab, size(key("vocab_size"), 1, kMaxVocab));
  if (!tokens || tokens->size() == config_.vocab) return {};
  return error(key("vocab_size"), "is " + std::to_string(config_.vocab) + ", but tokenizer.ggml.tokens has " +
                                      std::to_string(tokens->size()));
}

Status ConfigReader::read_heads() {
  LFM_ASSIGN(config_.heads, size(key("attention.head_count"), 1, kMaxHeads));
  const std::string dim_key = key("attention.key_length");
  if (metadata_.contains(dim_key)) {
    LFM_ASSIGN(config_.head_dim, size(dim_key, kStep, kMaxHeadDim));
    return check_multiple(dim_key, config_.head_dim, kStep);
  }
  config_.head_dim = config_.hidden / config_.heads;
  if (config_.hidden % config_.heads != 0 || config_.head_dim % kStep != 0 || config_.head_dim == 0 ||
      config_.head_dim > kMaxHeadDim) {
    return error(key("attention.head_count"), "is " + std::to_string(config_.heads) + " for " +
                                                  std::to_string(config_.hidden) +
                                                  " channels, expected 32, 64, ... or 256 channels a head");
  }
  return {};
}

// The array of KV heads is also the map of layers: 0 where a layer is a convolution.
Status ConfigReader::read_layer_map() {
  const std::string kv_key = key("attention.head_count_kv");
  LFM_ASSIGN(const std::vector<std::int32_t> kv_heads, metadata_.require_integers(kv_key));
  if (kv_heads.size() != config_.layers.size()) {
    return error(kv_key, "has " + std::to_string(kv_heads.size()) + " elements for " +
                             std::to_string(config_.layers.size()) + " layers");
  }
  for (std::size_t i = 0; i < kv_heads.size(); ++i) {
    const std::int32_t kv = kv_heads[i];
    if (kv < 0 || (kv > 0 && config_.heads % static_cast<std::size_t>(kv) != 0)) {
      Error wrong = error(kv_key, "is " + std::to_string(kv) + ", expected 0 or a divisor of the " +
                                      std::to_string(config_.heads) + " heads");
      wrong.index = i;
      return wrong;
    }
    config_.layers[i].kv_heads = static_cast<std::size_t>(kv);
  }
  if (config_.attention_layers() == 0) return error(kv_key, "has no attention layer");
  if (config_.conv_layers() == 0) return error(kv_key, "has no convolution layer");
  return {};
}

// Layers that are all alike, and what ties them to another network's.
Status ConfigReader::read_draft() {
  const std::string kv_key = key("attention.head_count_kv");
  std::vector<std::int32_t> all;
  if (const auto* entry = metadata_.find(kv_key); entry != nullptr && entry->type == format::ValueType::kArray) {
    LFM_ASSIGN(all, metadata_.require_integers(kv_key));
  } else {
    LFM_ASSIGN(const std::size_t each, size(kv_key, 1, kMaxHeads));
    all.assign(config_.layers.size(), static_cast<std::int32_t>(each));
  }
  if (all.size() != config_.layers.size() || std::ranges::any_of(all, [&](std::int32_t kv) {
        return kv < 1 || config_.heads % static_cast<std::size_t>(kv) != 0;
      }))
    return error(kv_key,
                 "expected a divisor of the " + std::to_string(config_.heads) + " heads, for all layers or each");
  for (std::size_t i = 0; i < all.size(); ++i) config_.layers[i].kv_heads = static_cast<std::size_t>(all[i]);

  model::DraftConfig& draft = config_.draft;
  LFM_ASSIGN(draft.block, size(key("block_size"), 1, model::DraftConfig::kMaxBlock));
  LFM_ASSIGN(const std::size_t mask, size("tokenizer.ggml.mask_token_id", 0, config_.vocab - 1));
  draft.mask_token = static_cast<std::int32_t>(mask);
  const std::string taps_key = key("target_layers");
  LFM_ASSIGN(const std::vector<std::int32_t> taps, metadata_.require_integers(taps_key));
  if (taps.empty() || taps.size() > model::DraftConfig::kMaxTaps) {
    return error(taps_key, "has " + std::to_string(taps.size()) + " elements, expected 1 to " +
                               std::to_string(model::DraftConfig::kMaxTaps));
  }
  for (std::size_t i = 0; i < taps.size(); ++i) {
    if (taps[i] < 1 || taps[i] > std::int32_t{kMaxLayers}) {
      Error wrong = error(taps_key, "is " + std::to_string(taps[i]) + ", expected 1 to " + std::to_string(kMaxLayers));
      wrong.index = i;
      return wrong;
    }
    draft.taps.push_back(static_cast<std::size_t>(taps[i]));
  }
  return {};
}

Status ConfigReader::read_experts() {
  config_.dense_layers = config_.layers.size();
  if (config_.architecture != Architecture::kLfm2Moe) return {};
  LFM_ASSIGN(config_.experts, size(key("expert_count"), 1, kMaxExperts));
  LFM_ASSIGN(config_.experts_used,
             size(key("expert_used_count"), 1, std::min<std::uint64_t>(config_.experts, kMaxExpertsUsed)));
  LFM_ASSIGN(config_.dense_layers, size(key("leading_dense_block_count"), 0, config_.layers.size()));
  LFM_ASSIGN(const std::size_t width, size(key("expert_feed_forward_length"), kStep, kMaxWidth));
  LFM_TRY(check_multiple(key("expert_feed_forward_length"), width, kStep));
  for (std::size_t i = config_.dense_layers; i < config_.layers.size(); ++i) {
    config_.layers[i].moe = true;
    config_.layers[i].ffn_width = width;
  }
  return {};
}

// One width for all dense layers, or an array with one for each layer.
Status ConfigReader::read_ffn_widths() {
  const std::string name = key("feed_forward_length");
  const format::Metadata::Entry* entry = metadata_.find(name);
  if (entry == nullptr || entry->type != format::ValueType::kArray) {
    LFM_ASSIGN(const std::size_t width, size(name, kStep, kMaxWidth));
    LFM_TRY(check_multiple(name, width, kStep));
    for (std::size_t i = 0; i < config_.dense_layers; ++i) config_.layers[i].ffn_width = width;
    return {};
  }
  LFM_ASSIGN(const std::vector<std::int32_t> widths, metadata_.require_integers(name));
  if (widths.size() != config_.layers.size()) {
    return error(name, "has " + std::to_string(widths.size()) + " elements for " +
                           std::to_string(config_.layers.size()) + " layers");
  }
  for (std::size_t i = 0; i < config_.dense_layers; ++i) {
    const std::int32_t width = widths[i];
    if (width < std::int32_t{kStep} || width > std::int32_t{kMaxWidth} || width % std::int32_t{kStep} != 0) {
      Error wrong = error(name, "is " + std::to_string(width) + ", expected a multiple of " + std::to_string(kStep) +
                                    " up to " + std::to_string(kMaxWidth));
      wrong.index = i;
      return wrong;
    }
    config_.layers[i].ffn_width = static_cast<std::size_t>(width);
  }
  return {};
}

Status ConfigReader::read_constants() {
  LFM_ASSIGN(config_.rope_base, real(key("rope.freq_base"), 1, 1e12));
  LFM_ASSIGN(const double eps, real(key("attention.layer_norm_rms_epsilon"), 1e-12, 1e-2));
  config_.norm_eps = static_cast<float>(eps);
  return {};
}

}  // namespace

bool is_width(std::uint64_t width) noexcept {
  return width >= kStep && width <= kMaxWidth && width % kStep == 0;
}

Result<model::Config> read_config(const format::Metadata& metadata) {
  return ConfigReader(metadata).run();
}

}  // namespace lfm::source
