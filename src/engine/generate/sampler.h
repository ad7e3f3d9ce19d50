// From the logits of one position to the next token.
//
// The steps, in the order of Hugging Face transformers:
//   1. logit bias          l[t] += bias[t]
//   2. repetition penalty  for each distinct token of the whole context: l[t] /= penalty if l[t] > 0, else *= penalty
//   3. temperature         l[t] /= temperature; 0 takes the best token at once
//   4. top-k               the k best
//   5. top-p               the fewest best tokens whose probability is at least top_p together
//   6. min-p               those at least min_p times as probable as the best
//   7. a draw from what is left, by probability
// Of tokens with equal logits the lowest id is the better one, in every step. (Hugging Face keeps all that tie with the
// k-th best.) The same options, context, logits and seed give the same token on every platform: nothing here depends on
// the C or C++ library's arithmetic, sorting or random numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/generate/random.h"
#include "lfm/result.h"
#include "lfm/sampling.h"
#include "lfm/types.h"

namespace lfm::engine {

// kArgument with the option's name as its field (and for logit_bias the index), or nothing.
Status validate(const SamplingOptions& options, std::size_t vocabulary_size);

// One conversation's sampler: the random numbers go on from call to call. Copying forks it. Allocates when it is made
// and never again; about 25 bytes per token of the vocabulary.
class Sampler {
 public:
  struct Candidate {
    TokenId id;
    float logit;         // after steps 1 and 2
    double probability;  // among the candidates
  };

  // Errors of validate().
  static Result<Sampler> create(const SamplingOptions& options, std::size_t vocabulary_size);

  // The context whose tokens are penalised: what was read and what was generated. Requires ids in the vocabulary.
  void accept(TokenId id) noexcept;
  void set_context(std::span<const TokenId> ids) noexcept;  // forgets the one before

  // The next token, none of the forbidden ones; the caller accepts it if it becomes part of the text. Requires
  // forbidden ids in the vocabulary.
  //   kArgument  logits.size() isn't the vocabulary's
  //   kNumeric   a logit is NaN or +infinity (its index is given), or all are -infinity
  Result<TokenId> sample(std::span<const float> logits, std::span<const TokenId> forbidden = {});

  // What sample() draws from: after step 6. Sorted from the best down where top-k or top-p is on, else by id. Valid
  // until the next call. Tokens less probable than e^-64 times the best one are left out, which no draw of 53 bits can
  // tell. Errors as sample().
  Result<std::span<const Candidate>> candidates(std::span<const float> logits, std::span<const TokenId> forbidden = {});

  const SamplingOptions& options() const noexcept { return options_; }

 private:
  Sampler(const SamplingOptions& options, std::size_t vocabulary_size);

  Status adjust(std::span<const float> logits, std::span<const TokenId> forbidden);
  void choose_best();
  void choose_above(double least);
  void choose_top(std::size_t count);
  void choose_nucleus();
  void cut_to_mass(double mass);
  void cut_improbable();
  double weigh() noexcept;
  double weight_of(float logit) const noexcept;
  double least_logit(double log_ratio) const noexcept;

  SamplingOptions options_;
  Random random_;
  std::vector<float> logits_;          // after steps 1 and 2
  float max_logit_ = 0;                // of logits_
  std::vector<Candidate> candidates_;  // the first chosen_ of them count
  std::size_t chosen_ = 0;
  double min_p_log_ = 0;
  std::vector<TokenId> context_;  // distinct tokens of the context
  std::vector<std::uint8_t> in_context_;
};

}  // namespace lfm::engine
