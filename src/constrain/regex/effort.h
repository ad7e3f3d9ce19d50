// What compiling and matching cost, counted and not timed, so that a schema that is refused as too much work is refused
// on every machine and by every build.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lfm::constrain {

class Effort {
 public:
  // Of some seven nanoseconds each on a desktop of 2025: less than a second for a schema, and for what a token asks.
  static constexpr std::uint64_t kMost = 100'000'000;

  void spend(std::size_t steps) noexcept { spent_ += steps; }
  std::uint64_t spent() const noexcept { return spent_; }
  bool is_over() const noexcept { return spent_ > limit_; }

  void limit(std::uint64_t steps) noexcept { limit_ = steps; }
  void begin_anew() noexcept { spent_ = 0; }

 private:
  std::uint64_t spent_ = 0;
  std::uint64_t limit_ = kMost;
};

}  // namespace lfm::constrain
