// What guesses bring: how many of their tokens come true.
#pragma once

#include <array>
#include <cstddef>

#include "engine/draft/source.h"

namespace lfm::engine {

// For each trust, and each distance of a token from the beginning of its guess, a running mean of how often it came
// where those before it had come: what is copied for long goes on more surely than what has just begun.
class DraftGains {
 public:
  explicit DraftGains(const DraftSource& source) noexcept;

  // Token `i` of a guess came, as those before it, or something else did.
  void learn(std::size_t trust, std::size_t i, bool came) noexcept;

  // Such a guess was made. What it promises counts among what guesses bring on the whole: what comes of a few of them
  // is much by chance, while trust is known by many.
  void count(const Guess& guess) noexcept;

  // How often token i of a guess comes, where those before it did.
  double chance(std::size_t trust, std::size_t i) const noexcept { return means_[trust][distance(i)].chance; }
  // Likewise whatever the trust is; where no guess was that long yet, as of the longest.
  double overall(std::size_t i) const noexcept;

 private:
  struct Mean {
    double chance = 0;
    double seen = 0;
    void learn(double value, double weight, double recent) noexcept;
  };
  static std::size_t distance(std::size_t i) noexcept;  // 0, 1, 2 to 3, 4 to 7, 8 to 15, and so on
  static constexpr std::size_t kDistances = 6;

  std::array<std::array<Mean, kDistances>, DraftSource::kTrusts> means_;
  std::array<Mean, DraftSource::kLongest> overall_;
};

}  // namespace lfm::engine
