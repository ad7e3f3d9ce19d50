// Where the time of forward passes goes, by phase.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>

namespace lfm::ops {

enum class Phase : std::size_t {
  kEmbed,
  kConvIn,        // norm, in_proj, convolution
  kConvOut,       // out_proj
  kQkv,           // norm, projections
  kAttention,     // norms, rotation, cache, attention itself
  kAttentionOut,  // o_proj
  kDenseIn,       // norm, gate and up
  kDenseOut,      // down
  kRouter,        // norm, router, choice
  kExpertsIn,     // gate and up
  kExpertsOut,    // down
  kHead,          // norm, logits
  kDraft,         // keys and values of a draft network that reads along
};
inline constexpr std::size_t kPhases = 13;
inline constexpr std::array<const char*, kPhases> kPhaseNames = {
    "embedding", "conv in", "conv out",   "attention qkv", "attention", "attention out", "dense in",
    "dense out", "router",  "experts in", "experts out",   "head",      "draft"};

// Written by one member of the team; a phase's time runs from the end of the phase before, so barriers are in it.
class Profile {
 public:
  void start() noexcept { last_ = Clock::now(); }
  void done(Phase phase) noexcept {
    const Clock::time_point now = Clock::now();
    seconds_[static_cast<std::size_t>(phase)] += std::chrono::duration<double>(now - last_).count();
    last_ = now;
  }
  const std::array<double, kPhases>& seconds() const noexcept { return seconds_; }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_;
  std::array<double, kPhases> seconds_{};
};

}  // namespace lfm::ops
