// Options of the commands that generate text.
#pragma once

#include <cstdint>
#include <optional>

#include "lfm/lfm.h"
#include "options.h"

namespace lfm::cli {

// How tokens are chosen: as the model's makers recommend, unless told otherwise.
struct SamplingFlags {
  std::optional<float> temperature;
  std::optional<int> top_k;
  std::optional<float> top_p;
  std::optional<float> min_p;
  std::optional<float> repeat_penalty;
  std::optional<float> presence_penalty;
  std::optional<float> frequency_penalty;
  std::optional<std::uint64_t> seed;

  void add_to(Command& command);
  SamplingOptions sampling(const Engine& engine) const;  // without a seed another one each time
};

}  // namespace lfm::cli
