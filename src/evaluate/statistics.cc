#include "evaluate/statistics.h"

#include <algorithm>
#include <cmath>

namespace lfm::evaluate {
namespace {

constexpr std::size_t kFew = 10;  // values that tell nothing about their spread

double at_rank(const std::vector<float>& sorted, double part) {
  const double rank = part * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(rank);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  const double beyond = rank - static_cast<double>(low);
  return (1 - beyond) * static_cast<double>(sorted[low]) + beyond * static_cast<double>(sorted[high]);
}

Quantiles quantiles_of(std::vector<float>& values) {
  std::sort(values.begin(), values.end());
  const auto at = [&](double part) { return at_rank(values, part); };
  return {at(0),    at(0.001), at(0.01), at(0.05), at(0.1),   at(0.25), at(0.5),
          at(0.75), at(0.9),   at(0.95), at(0.99), at(0.999), at(1)};
}

}  // namespace

void Statistics::add(double log_probability) noexcept {
  ++count_;
  loss_.add(-log_probability);
}

void Statistics::add(double log_probability, const Compared& compared) {
  add(log_probability);
  base_loss_.add(-compared.base_log_probability);
  losses_ += log_probability * compared.base_log_probability;
  kld_.add(compared.divergence);
  const double change = std::exp(log_probability) - std::exp(compared.base_log_probability);
  change_.add(change);
  squared_change_.add(change * change);
  if (compared.same_top) ++same_top_;
  klds_.push_back(static_cast<float>(compared.divergence));
  changes_.push_back(static_cast<float>(change));
}

Estimate Statistics::mean(const Sum& sum) const noexcept {
  const auto n = static_cast<double>(count_);
  const double mean = sum.first / n;
  const double variance = sum.second / n - mean * mean;
  return {mean, variance > 0 && count_ > kFew ? std::sqrt(variance / (n - 1)) : 0};
}

void Statistics::fill(Evaluation& evaluation, bool quantiles) {
  evaluation.scored = count_;
  const Estimate loss = mean(loss_);
  evaluation.perplexity = {std::exp(loss.value), std::exp(loss.value) * loss.error};
  if (!klds_.empty()) evaluation.divergence = divergence(quantiles);
}

Divergence Statistics::divergence(bool quantiles) {
  const auto n = static_cast<double>(count_);
  Divergence d;
  const Estimate loss = mean(loss_), base = mean(base_loss_);
  const double own = std::exp(loss.value), others = std::exp(base.value);
  const double covariance = count_ > kFew ? (losses_ / n - loss.value * base.value) / (n - 1) : 0;
  d.base_perplexity = {others, others * base.error};
  d.correlation = covariance / (loss.error * base.error);
  d.log_ratio = {loss.value - base.value,
                 std::sqrt(std::max(0.0, loss.error * loss.error + base.error * base.error - 2 * covariance))};
  const double ratio = std::exp(d.log_ratio.value);
  d.ratio = {ratio, ratio * d.log_ratio.error};
  const double a = own * loss.error, b = others * base.error;
  d.difference = {own - others, std::sqrt(std::max(0.0, a * a + b * b - 2 * own * others * covariance))};
  d.kld = mean(kld_);
  d.probability_change = mean(change_);
  const Estimate square = mean(squared_change_);
  const double rms = std::sqrt(square.value);
  d.probability_change_rms = {rms, rms > 0 ? 0.5 / rms * square.error : 0};
  const double same = static_cast<double>(same_top_) / n;
  d.same_top = {same, std::sqrt(same * (1 - same) / (n - 1))};
  if (quantiles) {
    d.klds = quantiles_of(klds_);
    d.probability_changes = quantiles_of(changes_);
  }
  return d;
}

}  // namespace lfm::evaluate
