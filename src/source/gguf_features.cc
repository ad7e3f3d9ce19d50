#include "source/gguf_features.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/try.h"

namespace lfm::source {
namespace {

constexpr std::uint64_t kSigmoid = 2;  // expert_gating_func

// Numbers that change what is computed, but for these values.
struct NeutralInteger {
  const char* name;
  std::uint64_t value;
  std::uint64_t or_value;
};

constexpr NeutralInteger kIntegers[] = {
    {"expert_shared_count", 0, 0},    {"expert_shared_feed_forward_length", 0, 0},
    {"expert_group_count", 1, 0},     {"expert_group_used_count", 1, 0},
    {"hyper_connection.count", 0, 0},  // these of drafts
    {"conv_kernel_size", 0, 0},       {"selector_rank", 0, 0},
};

struct NeutralFloat {
  const char* name;
  double value;
  double or_value;
  const char* message;
};

constexpr NeutralFloat kFloats[] = {
    {"expert_weights_scale", 1, 0, "expert weights with a scale aren't supported"},
    {"logit_scale", 1, 0, "logits with a scale aren't supported"},
    {"embedding_scale", 1, 0, "embeddings with a scale aren't supported"},
    {"residual_scale", 1, 0, "residuals with a scale aren't supported"},
    {"attn_logit_softcapping", 0, 0, "capped attention isn't supported"},
    {"final_logit_softcapping", 0, 0, "capped logits aren't supported"},
    {"attention.clamp_kqv", 0, 0, "clamped attention isn't supported"},
    {"attention.max_alibi_bias", 0, 0, "attention biased by distance isn't supported"},
};

struct NeutralFlag {
  const char* name;
  bool value;
  const char* message;
};

constexpr NeutralFlag kFlags[] = {
    {"sample_from_anchor", true, "drafts that guess nothing at their first token aren't supported"},
    {"expert_weights_norm", true, "expert weights that aren't normalised aren't supported"},
};

class Features {
 public:
  Features(const format::Metadata& metadata, model::Config& config) : metadata_(metadata), config_(config) {}

  Status run() {
    const bool experts = config_.architecture == model::Architecture::kLfm2Moe;
    LFM_TRY(check_same("attention.value_length", config_.head_dim));
    LFM_TRY(check_same("rope.dimension_count", config_.head_dim));
    if (experts) LFM_TRY(check_same("expert_gating_func", kSigmoid));
    // A window that holds all that the model sees is none.
    LFM_ASSIGN(const auto window, metadata_.find_unsigned(key("attention.sliding_window")));
    if (window.value_or(0) < config_.context_length) LFM_TRY(check_same("attention.sliding_window", 0));
    for (const NeutralInteger& row : kIntegers) LFM_TRY(check_same(row.name, row.value, row.or_value));
    for (const NeutralFloat& row : kFloats) LFM_TRY(check(row));
    for (const NeutralFlag& row : kFlags) LFM_TRY(check(row));
    const bool causal = config_.architecture != model::Architecture::kDflash;
    LFM_TRY(check({"attention.causal", causal,
                   causal ? "attention that sees later tokens isn't supported"
                          : "a draft's attention that doesn't see the rest of its block isn't supported"}));
    LFM_TRY(check_rotary_scaling());
    note_what_it_is_for();
    return {};
  }

 private:
  std::string key(const char* name) const { return std::string(to_string(config_.architecture)) + "." + name; }

  Error refused(const char* name, std::string message) const {
    return metadata_.error(key(name), std::move(message), ErrorCode::kUnsupported);
  }

  Status check_same(const char* name, std::uint64_t expected, std::optional<std::uint64_t> or_value = {}) const {
    LFM_ASSIGN(const std::optional<std::uint64_t> value, metadata_.find_unsigned(key(name)));
    if (!value || *value == expected || value == or_value) return {};
    return refused(name, "is " + std::to_string(*value) + ", only " + std::to_string(expected) + " is supported here");
  }

  Status check(const NeutralFloat& row) const {
    LFM_ASSIGN(const std::optional<double> value, metadata_.find_float(key(row.name)));
    if (!value || *value == row.value || *value == row.or_value) return {};
    return refused(row.name, row.message);
  }

  Status check(const NeutralFlag& row) const {
    LFM_ASSIGN(const std::optional<bool> value, metadata_.find_bool(key(row.name)));
    if (value.value_or(row.value) == row.value) return {};
    return refused(row.name, row.message);
  }

  Status check_rotary_scaling() const;
  void note_what_it_is_for();

  const format::Metadata& metadata_;
  model::Config& config_;
};

// A factor of 1 scales nothing, whatever the type, and neither does 0, which is how some write that there is none. One
// of another value scales without a type too.
Status Features::check_rotary_scaling() const {
  constexpr const char* kType = "rope.scaling.type";
  constexpr const char* kMessage = "rotary scaling isn't supported";
  LFM_ASSIGN(const auto type, metadata_.find_string(key(kType)));
  if (type == "none") return {};
  const bool needs_one = type == "yarn" || type == "dynamic";
  if (type && !needs_one && *type != "default" && *type != "linear" && !type->empty()) return refused(kType, kMessage);
  bool is_one = false;
  for (const char* factor : {"rope.scaling.factor", "rope.scale_linear", "rope.scaling.attn_factor"}) {
    LFM_ASSIGN(const auto value, metadata_.find_float(key(factor)));
    const double scales = value.value_or(0);
    if (scales != 0 && scales != 1) return refused(type ? kType : factor, kMessage);
    is_one = is_one || scales == 1;
  }
  if (is_one || !needs_one) return {};
  return refused(kType, kMessage);
}

void Features::note_what_it_is_for() {
  constexpr const char* kTells[] = {"decision.type", "pooling_type", "classifier.output_labels"};
  for (const char* name : kTells) {
    const auto* const entry = metadata_.find(key(name));
    if (entry == nullptr) continue;
    const auto number = metadata_.find_unsigned(key(name));
    if (number.ok() && *number == 0u) continue;  // no pooling
    const auto text = metadata_.find_string(key(name));
    const std::string value = text.ok() && *text ? " ('" + base::printable(**text, 64) + "')" : "";
    config_.notes.push_back(key(name) + value + ": the model wasn't made to talk: its answers as text may be nonsense");
  }
}

}  // namespace

Status check_features(const format::Metadata& metadata, model::Config& config) {
  return Features(metadata, config).run();
}

}  // namespace lfm::source
