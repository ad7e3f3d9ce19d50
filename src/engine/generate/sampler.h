// From the logits of one position to the next token.
//
// The steps, in the order of Hugging Face transformers:
//   1. logit bias   l[t] += bias[t]
//   2. penalties    for each token that is n > 0 times in the window: l[t] /= repetition if l[t] > 0, else *=
//   repetition;
//                   then l[t] -= presence + n frequency (as llama.cpp has them)
//   3. mask         of the tokens that it lacks l[t] = -infinity
//   4. temperature  l[t] /= temperature; 0 takes the best token at once
//   5. top-k        the k best
//   6. top-p        the fewest best tokens whose probability is at least top_p together
//   7. min-p        those at least min_p times as probable as the best
//   8. a draw from what is left, by probability: random_uniform(seed, tokens of the context)
// Of tokens with equal logits the lowest id is the better one, in every step. (Hugging Face keeps all that tie with the
// k-th best.) The same options, context, logits and seed give the same token on every platform: nothing here depends on
// the C or C++ library's arithmetic, sorting or random numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/generate/penalties.h"
#include "lfm/result.h"
#include "lfm/sampling.h"
#include "lfm/types.h"

namespace lfm::engine {

// The options, with what stands for a recommendation (SamplingOptions::recommended()) filled in.
SamplingOptions resolve(SamplingOptions options, const SamplingOptions& recommended);

// kArgument with the option's name as its field (and for logit_bias the index), or nothing.
Status validate(const SamplingOptions& options, std::size_t vocabulary_size);

// One conversation's sampler. Copying forks it. Allocates when it is made and never again; about 25 bytes per token of
// the vocabulary, and 4 per token of the window.
class Sampler {
 public:
  struct Candidate {
    TokenId id;
    float logit;         // after steps 1 to 3
    double probability;  // among the candidates
  };

  // No seed is 0. Errors of validate(). `room`: tokens that the context can have.
  static Result<Sampler> create(const SamplingOptions& options, std::size_t vocabulary_size, std::size_t room);

  // The context, which penalties and draws depend on: what was read and what was generated. Requires ids in the
  // vocabulary.
  void accept(TokenId id) noexcept;
  void set_context(std::span<const TokenId> ids) noexcept;  // forgets the one before

  // The next token; the caller accepts it if it becomes part of the text, and until then it stays the same.
  //   mask  the tokens that may come (lfm/mask.h); empty: all
  //   kArgument  logits.size() isn't the vocabulary's;   the mask leaves nothing ("mask")
  //   kNumeric   a logit is NaN or +infinity (its index is given), or all that may come are -infinity
  Result<TokenId> sample(std::span<const float> logits, std::span<const std::uint32_t> mask = {});

  // What sample() draws from: after step 7. Sorted from the best down where top-k or top-p is on, else by id. Valid
  // until the next call. Tokens less probable than e^-64 times the best one are left out, which no draw of 53 bits can
  // tell. Errors as sample().
  Result<std::span<const Candidate>> candidates(std::span<const float> logits,
                                                std::span<const std::uint32_t> mask = {});

 private:
  Sampler(const SamplingOptions& options, std::size_t vocabulary_size, std::size_t room);

  Status adjust(std::span<const float> logits, std::span<const std::uint32_t> mask);
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
  std::vector<float> logits_;          // after steps 1 to 3
  float max_logit_ = 0;                // of logits_
  std::vector<Candidate> candidates_;  // the first chosen_ of them count
  std::size_t chosen_ = 0;
  double min_p_log_ = 0;
  std::uint64_t context_ = 0;  // tokens
  Penalties penalties_;
};

}  // namespace lfm::engine
