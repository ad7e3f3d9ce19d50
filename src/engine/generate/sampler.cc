#include "engine/generate/sampler.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <string>

#include "base/try.h"

namespace lfm::engine {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Weights below e^kNegligible of the best: all of a vocabulary's together are less than 2^-53.
constexpr double kNegligible = -64.0;

Error argument_error(const char* field, const char* expected, std::uint64_t index = Error::kNone) {
  return {ErrorCode::kArgument, std::string("expected ") + expected, field, index};
}

constexpr std::array<double, 14> taylor_coefficients() {
  std::array<double, 14> coefficients = {1.0};
  for (std::size_t i = 1; i < coefficients.size(); ++i) coefficients[i] = coefficients[i - 1] / static_cast<double>(i);
  return coefficients;
}

// e^x for x in [kNegligible, 0], the same bits everywhere: x = n ln 2 + r with |r| <= ln 2 / 2, and the Taylor series
// of e^r to r^13 / 13!, which leaves an error below 2^-54.
double exponential(double x) noexcept {
  constexpr double kLog2E = 0x1.71547652b82fep0;
  constexpr double kLn2High = 0x1.62e42fee00000p-1;  // 32 bits, so that n kLn2High is exact
  constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
  constexpr double kRounder = 0x1.8p52;  // adding and taking it away rounds to an integer
  const double n = (x * kLog2E + kRounder) - kRounder;
  const double r = (x - n * kLn2High) - n * kLn2Low;
  static constexpr auto kCoefficients = taylor_coefficients();
  double sum = 0;
  for (std::size_t i = kCoefficients.size(); i-- > 0;) sum = sum * r + kCoefficients[i];
  return sum * std::bit_cast<double>(static_cast<std::uint64_t>(static_cast<std::int64_t>(n) + 1023) << 52);
}

bool is_better(const Sampler::Candidate& a, const Sampler::Candidate& b) noexcept {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

}  // namespace

Status validate(const SamplingOptions& options, std::size_t vocabulary_size) {
  const auto within = [](float value, float low, float high) { return value >= low && value <= high; };
  constexpr float kMax = std::numeric_limits<float>::max();
  if (!within(options.temperature, 0, kMax)) return argument_error("temperature", "a number that is 0 or more");
  if (options.top_k < 0) return argument_error("top_k", "0 (off) or more");
  if (!within(options.top_p, 0, 1) || options.top_p == 0) return argument_error("top_p", "more than 0 and at most 1");
  if (!within(options.min_p, 0, 1)) return argument_error("min_p", "0 (off) to 1");
  if (!within(options.repetition_penalty, 0, kMax) || options.repetition_penalty == 0) {
    return argument_error("repetition_penalty", "a number above 0");
  }
  for (std::size_t i = 0; i < options.logit_bias.size(); ++i) {
    const auto& [id, value] = options.logit_bias[i];
    if (id < 0 || static_cast<std::size_t>(id) >= vocabulary_size) {
      return argument_error("logit_bias", "a token of the vocabulary", i);
    }
    if (!(value < kInfinity)) return argument_error("logit_bias", "a number, or -infinity to forbid the token", i);
  }
  return {};
}

Result<Sampler> Sampler::create(const SamplingOptions& options, std::size_t vocabulary_size) {
  if (vocabulary_size == 0) return argument_error("vocabulary_size", "1 or more");
  LFM_TRY(validate(options, vocabulary_size));
  return Sampler(options, vocabulary_size);
}

Sampler::Sampler(const SamplingOptions& options, std::size_t vocabulary_size)
    : options_(options),
      random_(options.seed),
      logits_(vocabulary_size),
      candidates_(vocabulary_size),
      // Only sorts out tokens early, so that the library's logarithm need not be exact; cut_improbable() decides.
      min_p_log_(std::log(static_cast<double>(options.min_p)) - 1e-6),
      in_context_(vocabulary_size) {
  context_.reserve(vocabulary_size);
}

void Sampler::accept(TokenId id) noexcept {
  auto& seen = in_context_[static_cast<std::size_t>(id)];
  if (seen == 0) context_.push_back(id);
  seen = 1;
}

void Sampler::set_context(std::span<const TokenId> ids) noexcept {
  for (const TokenId id : context_) in_context_[static_cast<std::size_t>(id)] = 0;
  context_.clear();
  for (const TokenId id : ids) accept(id);
}

Result<TokenId> Sampler::sample(std::span<const float> logits, std::span<const TokenId> forbidden) {
  LFM_ASSIGN(const auto from, candidates(logits, forbidden));
  if (from.size() == 1) return from.front().id;
  const double target = random_.uniform();
  double sum = 0;
  for (const Candidate& candidate : from) {
    sum += candidate.probability;
    if (target < sum) return candidate.id;
  }
  return from.back().id;  // the probabilities' sum was rounded to less than 1
}

Result<std::span<const Sampler::Candidate>> Sampler::candidates(std::span<const float> logits,
                                                                std::span<const TokenId> forbidden) {
  LFM_TRY(adjust(logits, forbidden));
  if (options_.temperature == 0) {
    choose_best();
  } else if (options_.top_k > 0) {
    choose_top(static_cast<std::size_t>(options_.top_k));
    const double mass = weigh();
    if (options_.top_p < 1) cut_to_mass(mass);
  } else if (options_.top_p < 1) {
    choose_nucleus();
  } else {
    choose_above(least_logit(std::max(kNegligible, min_p_log_)));
    weigh();
  }
  cut_improbable();
  return std::span<const Candidate>(candidates_.data(), chosen_);
}

// Steps 1 and 2, and the checks.
Status Sampler::adjust(std::span<const float> logits, std::span<const TokenId> forbidden) {
  if (logits.size() != logits_.size()) {
    return Error{ErrorCode::kArgument,
                 std::to_string(logits.size()) + " logits for " + std::to_string(logits_.size()) + " tokens", "logits"};
  }
  unsigned bad = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    logits_[i] = logits[i];
    bad |= !(logits[i] < kInfinity);
  }
  if (bad != 0) {
    const auto first = std::find_if(logits.begin(), logits.end(), [](float l) { return !(l < kInfinity); });
    return Error{ErrorCode::kNumeric, "the logit is NaN or infinite", "logits",
                 static_cast<std::uint64_t>(first - logits.begin())};
  }
  for (const auto& [id, value] : options_.logit_bias) logits_[static_cast<std::size_t>(id)] += value;
  for (const TokenId id : forbidden) logits_[static_cast<std::size_t>(id)] = -kInfinity;
  if (options_.repetition_penalty != 1) {
    for (const TokenId id : context_) {
      float& logit = logits_[static_cast<std::size_t>(id)];
      logit = logit > 0 ? logit / options_.repetition_penalty : logit * options_.repetition_penalty;
    }
  }
  float max = -kInfinity;
  for (const float logit : logits_) max = logit > max ? logit : max;
  if (max == -kInfinity) return Error{ErrorCode::kNumeric, "every token's logit is -infinity", "logits"};
  if (max == kInfinity) return Error{ErrorCode::kNumeric, "a logit is too large with its bias", "logits"};
  max_logit_ = max;
  return {};
}

void Sampler::choose_best() {
  const auto best = std::find(logits_.begin(), logits_.end(), max_logit_);
  candidates_[0] = {static_cast<TokenId>(best - logits_.begin()), max_logit_, 1};
  chosen_ = 1;
}

// All tokens whose logit is at least this.
void Sampler::choose_above(double least) {
  chosen_ = 0;
  for (std::size_t i = 0; i < logits_.size(); ++i) {
    if (logits_[i] >= least && logits_[i] > -kInfinity) {
      candidates_[chosen_++] = {static_cast<TokenId>(i), logits_[i], 0};
    }
  }
}

// The best `count` tokens, best first. One pass with a bar that few get over: whoever does goes into a buffer of twice
// that size, of which the better half stays when it is full, and its worst is the bar from then on.
void Sampler::choose_top(std::size_t count) {
  count = std::min(count, logits_.size());
  const std::size_t buffer = std::min(logits_.size(), 2 * count + 64);
  const auto begin = candidates_.begin();
  const auto at = [&](std::size_t i) { return begin + static_cast<std::ptrdiff_t>(i); };
  float bar = -kInfinity;
  chosen_ = 0;
  for (std::size_t i = 0; i < logits_.size(); ++i) {
    if (!(logits_[i] > bar)) continue;
    if (chosen_ == buffer) {
      std::nth_element(begin, at(count - 1), at(chosen_), is_better);
      chosen_ = count;
      bar = candidates_[count - 1].logit;
      if (!(logits_[i] > bar)) continue;
    }
    candidates_[chosen_++] = {static_cast<TokenId>(i), logits_[i], 0};
  }
  std::sort(begin, at(chosen_), is_better);
  chosen_ = std::min(chosen_, count);
}

// Top-p over the whole vocabulary. Few tokens are needed as a rule, so that ever larger tops are tried before sorting
// it all.
void Sampler::choose_nucleus() {
  const double least = least_logit(kNegligible);
  double total = 0;
  for (const float logit : logits_) {
    if (logit >= least) total += weight_of(logit);
  }
  for (std::size_t count = 64;; count *= 8) {
    choose_top(count);
    const std::size_t top = chosen_;
    weigh();
    cut_to_mass(total);
    if (chosen_ < top || top == logits_.size() || top < count) return;
  }
}

// Step 5: what of the sorted, weighed candidates lies within top_p of this mass.
void Sampler::cut_to_mass(double mass) {
  double sum = 0;
  std::size_t kept = 0;
  while (kept < chosen_ && (kept == 0 || sum < static_cast<double>(options_.top_p) * mass)) {
    sum += candidates_[kept++].probability;
  }
  chosen_ = kept;
}

// Step 6, and from multiples of the best token's probability to probabilities.
void Sampler::cut_improbable() {
  const double least = std::max(static_cast<double>(options_.min_p), std::numeric_limits<double>::min());
  const auto end = candidates_.begin() + static_cast<std::ptrdiff_t>(chosen_);
  const auto kept = std::remove_if(candidates_.begin(), end, [&](const Candidate& c) { return c.probability < least; });
  chosen_ = static_cast<std::size_t>(kept - candidates_.begin());
  double total = 0;
  for (std::size_t i = 0; i < chosen_; ++i) total += candidates_[i].probability;
  for (std::size_t i = 0; i < chosen_; ++i) candidates_[i].probability /= total;
}

// Gives each candidate its probability as a multiple of the best token's, and returns their sum.
double Sampler::weigh() noexcept {
  double total = 0;
  for (std::size_t i = 0; i < chosen_; ++i) {
    candidates_[i].probability = weight_of(candidates_[i].logit);
    total += candidates_[i].probability;
  }
  return total;
}

double Sampler::weight_of(float logit) const noexcept {
  const double x =
      (static_cast<double>(logit) - static_cast<double>(max_logit_)) / static_cast<double>(options_.temperature);
  return x < kNegligible ? 0 : exponential(x);
}

// The logit of a token that is e^log_ratio times as probable as the best one.
double Sampler::least_logit(double log_ratio) const noexcept {
  return static_cast<double>(max_logit_) + static_cast<double>(options_.temperature) * log_ratio;
}

}  // namespace lfm::engine
