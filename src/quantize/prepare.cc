#include "quantize/prepare.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>

#include "base/cpu.h"
#include "base/float_mode.h"
#include "base/try.h"
#include "engine/runtime/runtime.h"
#include "quantize/model_writer.h"
#include "quantize/rounded_network.h"
#include "quantize/sampling.h"

namespace lfm::quantize {
namespace {

constexpr std::size_t kChunkTokens = 512;
constexpr std::uint64_t kAutoShare = 20;  // of the bytes without a mix: how many more

Result<std::unique_ptr<engine::Runtime>> runtime_for(const engine::ModelParts& parts, const RoundedNetwork& network,
                                                     unsigned threads) {
  LFM_ASSIGN(const kernels::Isa isa, base::chosen_isa());
  LFM_ASSIGN(base::Team team, base::Team::create(threads));
  return engine::Runtime::create(parts.config, network.weights(), std::nullopt, std::move(team), {threads, threads},
                                 isa, kChunkTokens);
}

// How many bytes a mix may add.
Result<std::uint64_t> bytes_for(const engine::ModelParts& parts, const std::vector<format::TensorType>& types,
                                const QuantizeOptions& options) {
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < types.size(); ++i) bytes += weight_bytes(parts.table.tensors[i], types[i]);
  if (options.mix == Mix::kAuto) return bytes / kAutoShare;
  const double wanted = options.mix_bits / 8 * static_cast<double>(parts.table.totals.parameters);
  if (wanted >= static_cast<double>(bytes)) return static_cast<std::uint64_t>(wanted) - bytes;
  char bits[16];
  std::snprintf(bits, sizeof bits, "%.2f",
                8 * static_cast<double>(bytes) / static_cast<double>(parts.table.totals.parameters));
  return Error{ErrorCode::kArgument, std::string("without a mix it has ") + bits + " bits a weight already",
               "mix_bits"};
}

}  // namespace

std::function<bool(double)> progress_of(const QuantizeOptions& options, QuantizePhase phase) {
  return [&options, phase](double part) {
    if (!options.progress) return true;
    const base::CallersFloatMode mode;
    return options.progress(phase, part);
  };
}

std::vector<format::TensorType> types_with(const engine::ModelParts& parts, WeightType type, const MixPlan& mix) {
  std::vector<format::TensorType> types;
  for (const model::Tensor& tensor : parts.table.tensors) types.push_back(target_type(tensor, type));
  for (const MixRow& row : mix.rows) types[row.tensor] = row.type;
  return types;
}

Result<Prepared> prepare(const engine::ModelParts& parts, const QuantizeOptions& options, bool calibrated,
                         const std::string& folder, base::Team& team) {
  Prepared prepared;
  const bool mixed = options.mix != Mix::kNone;
  if (!calibrated && !mixed) return prepared;
  const std::vector<format::TensorType> types = types_with(parts, options.type, {});
  std::uint64_t bytes = 0;
  if (mixed) {
    LFM_ASSIGN(bytes, bytes_for(parts, types, options));
  }
  LFM_ASSIGN(const text::Tokenizer tokenizer, parts.tokenizer());
  const std::size_t window = std::min(kTextTokens, parts.config.max_positions());
  if (!options.calibration.empty()) {
    LFM_ASSIGN(prepared.texts, cut_text(tokenizer, options.calibration, options.calibration_tokens, window));
    if (!mixed) return prepared;
  }
  if (options.method == QuantizeMethod::kNoData && !mixed) {
    LFM_ASSIGN(prepared.texts, opening_texts(tokenizer, window));
    return prepared;
  }
  const auto told = progress_of(options, QuantizePhase::kPreparing);
  const double share = mixed ? 0.5 : 1;
  LFM_ASSIGN(const RoundedNetwork exact, RoundedNetwork::create(parts, WeightType::kQ8_0, folder, team,
                                                                [&](double part) { return told(share * part); }));
  std::optional<RoundedNetwork> rounded;
  if (mixed) {
    LFM_ASSIGN(rounded, RoundedNetwork::create(parts, options.type, folder, team,
                                               [&](double part) { return told(share + share * part); }));
  }
  LFM_ASSIGN(const std::unique_ptr<engine::Runtime> runtime, runtime_for(parts, exact, team.size()));
  if (prepared.texts.empty()) {
    LFM_ASSIGN(prepared.texts,
               sample_texts(*runtime, exact.weights(), parts.config, tokenizer, options.calibration_tokens, window,
                            progress_of(options, QuantizePhase::kSampling)));
  }
  if (mixed) {
    LFM_ASSIGN(prepared.mix, choose_mix(parts, {*runtime, exact.weights(), rounded->weights()}, prepared.texts, bytes,
                                        types, progress_of(options, QuantizePhase::kMeasuring)));
  }
  return prepared;
}

}  // namespace lfm::quantize
