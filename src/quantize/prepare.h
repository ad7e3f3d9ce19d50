// What is decided before anything is written: the texts that the network is calibrated with, and the types of its
// tensors.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/team.h"
#include "engine/load/model_parts.h"
#include "lfm/quantize.h"
#include "lfm/result.h"
#include "quantize/calibration_text.h"
#include "quantize/mix.h"

namespace lfm::quantize {

struct Prepared {
  Texts texts;  // none where nothing is looked at
  MixPlan mix;
};

// The types of all tensors in a file of `type`, with what a mix has raised.
std::vector<format::TensorType> types_with(const engine::ModelParts& parts, WeightType type, const MixPlan& mix);

// `calibrated`: texts are needed whether there is a mix or not. What it makes on its way lies in `folder`.
//   kArgument  a text of too few tokens, or mix_bits that are too few;   and as RoundedNetwork, sample_texts,
//   choose_mix
Result<Prepared> prepare(const engine::ModelParts& parts, const QuantizeOptions& options, bool calibrated,
                         const std::string& folder, base::Team& team);

// QuantizeOptions::progress of one phase.
std::function<bool(double part)> progress_of(const QuantizeOptions& options, QuantizePhase phase);

}  // namespace lfm::quantize
