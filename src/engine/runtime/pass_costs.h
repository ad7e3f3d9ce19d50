// What a pass takes here, by its rows: learnt from those that run.
#pragma once

#include <array>
#include <cstddef>

namespace lfm::engine {

// A curve through some numbers of rows, beside that of one row. What isn't measured goes back to what is expected of a
// mixture of experts in time, so that what once was slow, with other work beside it maybe, is tried again.
class PassCosts {
 public:
  static constexpr std::size_t kMostRows = 64;  // that are learnt of; beyond, it goes on as before

  void learn(std::size_t rows, double seconds) noexcept;

  // Seconds, once something was learnt; before, in passes of one row. Never falls from 1 row on. rows > 0.
  double of(std::size_t rows) const noexcept { return (one_ > 0 ? one_ : 1) * relative(rows); }

 private:
  static constexpr std::size_t kNodes = 12;
  static constexpr std::array<std::size_t, kNodes> kRows = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, kMostRows};
  static constexpr std::array<double, kNodes> kExpected = {1, 1.5, 2, 2.3, 3, 3.5, 4.4, 5.1, 6.3, 7.5, 10, 12.5};

  struct Place {
    std::size_t node;  // at or before so many rows, not the last
    double beyond;     // of the way to the next, more than 1 behind the last
  };
  static Place place(std::size_t rows) noexcept;
  double relative(std::size_t rows) const noexcept;

  double one_ = 0;  // seconds
  std::array<double, kNodes> relative_ = kExpected;
  std::array<double, kNodes> seen_ = {};
};

}  // namespace lfm::engine
