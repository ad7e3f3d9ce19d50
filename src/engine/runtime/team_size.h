// With how many threads a token is fastest: those that memory needs. A few more only wait at barriers, heat each other,
// or slow down what they share. How many they are is no property of a CPU that can be asked for, so it is tried.
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace lfm::engine {

// Tries all, three quarters and half of the threads for a few passes each, at first and from time to time again. With
// fewer than 4 threads there is nothing to try: none of them is too many.
class TeamSize {
 public:
  explicit TeamSize(unsigned most) noexcept;

  static constexpr std::size_t kSizes = 3;
  std::span<const unsigned, kSizes> sizes() const noexcept { return sizes_; }      // descending, at least 1
  std::size_t now() const noexcept { return trying_ < tried_ ? trying_ : best_; }  // which of them

  // A pass of one row with so many threads took so long.
  void learn(double seconds) noexcept;

  static constexpr std::size_t kPasses = 8;  // of a trial
  // Of them, the first: shares of work and clocks are still the last one's.
  static constexpr std::size_t kUncounted = 2;
  static constexpr std::size_t kBetween = 4096;  // passes, then all is tried again
  static constexpr double kWorthIt = 0.97;       // of the time of more threads that fewer have to keep to

 private:
  void choose() noexcept;

  std::array<unsigned, kSizes> sizes_;
  std::size_t tried_;       // how many of them there are to try, or 0
  std::size_t trying_ = 0;  // which; tried_: none now
  std::size_t best_ = 0;
  std::size_t passes_ = 0;  // of this trial, or since the last one
  std::array<std::array<double, kPasses - kUncounted>, kSizes> seconds_ = {};
};

}  // namespace lfm::engine
