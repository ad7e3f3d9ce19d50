#include "engine/generate/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "base/try.h"
#include "engine/generate/exp_log.h"
#include "engine/generate/random.h"

namespace lfm::engine {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

Error argument_error(const char* field, const char* expected, std::uint64_t index = Error::kNone) {
  return {ErrorCode::kArgument, std::string("expected ") + expected, field, index};
}

// Forbids the tokens that the mask lacks; whether there are others.
bool apply_mask(std::span<const std::uint32_t> mask, std::span<float> logits) noexcept {
  bool any = false;
  for (std::size_t first = 0; first < logits.size(); first += 32) {
    const std::span<float> some = logits.subspan(first, std::min<std::size_t>(32, logits.size() - first));
    const std::uint32_t word = mask[first / 32] & (~std::uint32_t{0} >> (32 - some.size()));
    any |= word != 0;
    if (word == ~std::uint32_t{0}) continue;
    for (std::size_t i = 0; i < some.size(); ++i) {
      if ((word >> i & 1) == 0) some[i] = -kInfinity;
    }
  }
  return any;
}

bool is_better(const Sampler::Candidate& a, const Sampler::Candidate& b) noexcept {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

// Stand for a recommendation; no option has such a value.
constexpr float kRecommended = std::numeric_limits<float>::lowest();
constexpr std::int32_t kRecommendedCount = std::numeric_limits<std::int32_t>::min();

}  // namespace

SamplingOptions resolve(SamplingOptions options, const SamplingOptions& recommended) {
  for (float SamplingOptions::*field : {&SamplingOptions::temperature, &SamplingOptions::top_p, &SamplingOptions::min_p,
                                        &SamplingOptions::repetition_penalty}) {
    if (options.*field == kRecommended) options.*field = recommended.*field;
  }
  if (options.top_k == kRecommendedCount) options.top_k = recommended.top_k;
  return options;
}

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
  if (!within(options.presence_penalty, -kMax, kMax)) return argument_error("presence_penalty", "a number");
  if (!within(options.frequency_penalty, -kMax, kMax)) return argument_error("frequency_penalty", "a number");
  for (std::size_t i = 0; i < options.logit_bias.size(); ++i) {
    const auto& [id, value] = options.logit_bias[i];
    if (id < 0 || static_cast<std::size_t>(id) >= vocabulary_size) {
      return argument_error("logit_bias", "a token of the vocabulary", i);
    }
    if (!(value < kInfinity)) return argument_error("logit_bias", "a number, or -infinity to forbid the token", i);
  }
  return {};
}

Result<Sampler> Sampler::create(const SamplingOptions& options, std::size_t vocabulary_size, std::size_t room) {
  if (vocabulary_size == 0) return argument_error("vocabulary_size", "1 or more");
  LFM_TRY(validate(options, vocabulary_size));
  return Sampler(options, vocabulary_size, room);
}

Sampler::Sampler(const SamplingOptions& options, std::size_t vocabulary_size, std::size_t room)
    : options_(options),
      logits_(vocabulary_size),
      candidates_(vocabulary_size),
      // Only sorts out tokens early, so that the library's logarithm need not be exact; cut_improbable() decides.
      min_p_log_(std::log(static_cast<double>(options.min_p)) - 1e-6),
      penalties_(options, vocabulary_size, room) {}

void Sampler::accept(TokenId id) noexcept {
  ++context_;
  penalties_.accept(id);
}

void Sampler::set_context(std::span<const TokenId> ids) noexcept {
  context_ = 0;
  penalties_.clear();
  for (const TokenId id : ids) accept(id);
}

Result<TokenId> Sampler::sample(std::span<const float> logits, std::span<const std::uint32_t> mask) {
  LFM_ASSIGN(const auto from, candidates(logits, mask));
  if (from.size() == 1) return from.front().id;
  const double target = random_uniform(options_.seed.value_or(0), context_);
  double sum = 0;
  for (const Candidate& candidate : from) {
    sum += candidate.probability;
    if (target < sum) return candidate.id;
  }
  return from.back().id;  // the probabilities' sum was rounded to less than 1
}

Result<std::span<const Sampler::Candidate>> Sampler::candidates(std::span<const float> logits,
                                                                std::span<const std::uint32_t> mask) {
  LFM_TRY(adjust(logits, mask));
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

// Steps 1 to 3, and the checks.
Status Sampler::adjust(std::span<const float> logits, std::span<const std::uint32_t> mask) {
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
  penalties_.apply(logits_);
  if (!mask.empty() && !apply_mask(mask, logits_)) return Error{ErrorCode::kArgument, "no token may come next", "mask"};
  float max = -kInfinity;
  for (const float logit : logits_) max = logit > max ? logit : max;
  if (max == -kInfinity)
    return Error{ErrorCode::kNumeric, "the logit of every token that may come is -infinity", "logits"};
  if (max == kInfinity) return Error{ErrorCode::kNumeric, "a logit is too large with its bias and penalties", "logits"};
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

// Step 6: what of the sorted, weighed candidates lies within top_p of this mass.
void Sampler::cut_to_mass(double mass) {
  double sum = 0;
  std::size_t kept = 0;
  while (kept < chosen_ && (kept == 0 || sum < static_cast<double>(options_.top_p) * mass)) {
    sum += candidates_[kept++].probability;
  }
  chosen_ = kept;
}

// Step 7, and from multiples of the best token's probability to probabilities.
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

namespace lfm {

SamplingOptions SamplingOptions::recommended() {
  return {.temperature = engine::kRecommended,
          .top_k = engine::kRecommendedCount,
          .top_p = engine::kRecommended,
          .min_p = engine::kRecommended,
          .repetition_penalty = engine::kRecommended};
}

}  // namespace lfm
