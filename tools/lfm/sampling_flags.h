// Options of the commands that generate text.
#pragma once

#include <cstdint>
#include <functional>
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

// --draft off|lookup|model
inline constexpr const char* kDraftHelp =
    "guess tokens from the text so far, or by -md's network as well, which changes the speed alone (default: model "
    "with -md, otherwise lookup)";
Option add_draft_option(Command& command, std::function<void(Draft)> set, const char* help);
template <typename T>  // Draft, or an optional one
Option add_draft_option(Command& command, T& value, const char* help) {
  return add_draft_option(command, std::function<void(Draft)>([&value](Draft typed) { value = typed; }), help);
}

// What is drafted by where nobody says.
Draft default_draft(const Engine& engine);

// "40 of 52 tokens came true, in 90 passes"
std::string drafts_text(const SessionStats& stats);

}  // namespace lfm::cli
