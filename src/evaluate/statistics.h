// Sums over the scored tokens, and what follows from them.
#pragma once

#include <cstddef>
#include <vector>

#include "evaluate/log_probabilities.h"
#include "lfm/evaluate.h"

namespace lfm::evaluate {

class Statistics {
 public:
  void add(double log_probability) noexcept;
  void add(double log_probability, const Compared& compared);

  // Of all so far; with `quantiles` the values are sorted for them.
  void fill(Evaluation& evaluation, bool quantiles);

 private:
  // Of numbers: what mean and error follow from.
  struct Sum {
    double first = 0;
    double second = 0;  // of squares
    void add(double value) noexcept {
      first += value;
      second += value * value;
    }
  };
  Estimate mean(const Sum& sum) const noexcept;
  Divergence divergence(bool quantiles);

  std::size_t count_ = 0;
  Sum loss_, base_loss_, kld_, change_, squared_change_;
  double losses_ = 0;  // of products of both losses
  std::size_t same_top_ = 0;
  std::vector<float> klds_, changes_;
};

}  // namespace lfm::evaluate
