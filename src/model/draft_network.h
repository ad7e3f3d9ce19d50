// A draft network: it guesses together the next tokens of another network, its target, from what that one had in its
// residual stream. Every member of a team calls these functions alike.
//
//   of each token that the target reads    g = rms_norm(fc (inputs of some of the target's layers, one after another))
//       in each of the draft's layers      its key is rope(rms_norm(k g)), its value v g
//   a block behind n such tokens           the last token that was said, which the target hasn't read yet, and masks,
//       at positions n, n + 1, ...         through layers of attention and dense networks; each row sees the n tokens
//                                          and all of the block. Row i's logits are of the token at position n + 1 + i
//   Markov head, row after row             logits_i += markov_out markov_in[token n + i]
//   confidence that row i comes true       sigmoid(confidence [rms_norm(x_i), markov_in[token n + i]] + bias)
//
// The target's own embedding and head serve where a draft has none. Guesses change no text, so that they may be
// approximate: the Markov head is asked about the likeliest tokens of each row alone.
//
// Source: llama.cpp, src/models/dflash.cpp, and Liquid AI's LFM2.5-DSpark. The rotary pairs are (i, i + head_dim / 2),
// as in all GGUF files of this architecture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/config.h"
#include "model/forward.h"
#include "model/state.h"
#include "model/weights.h"
#include "ops/context.h"

namespace lfm::model {

struct DraftNetwork {
  Config config;
  Weights weights;

  // Keys' and values' matrices of all layers, which a token's are computed with together, and where each one's products
  // begin in a row of kv_width floats.
  std::vector<ops::Matrix> kv;
  std::vector<std::size_t> kv_tiles;
  std::vector<std::size_t> kv_columns;
  std::size_t kv_width = 0;

  // Of a checked configuration's weights, which take from the target what they lack.
  static DraftNetwork create(Config config, Weights weights, const Weights& target);
};

// Room in the workspace for what follows.
void add_dimensions(const DraftNetwork& draft, ops::Dimensions& dimensions);

// The rows of a pass become keys and values of the draft in the runs' states, which have room for them.
//   taps  what forward() kept of these rows for the draft's config.draft.taps
// Leaves the workspace's x alone.
void remember(const ops::Context& c, const DraftNetwork& draft, std::span<const float> taps, std::span<const Run> runs);

// Whether a block can stand behind a state: what the draft has seen begins early enough.
bool may_guess(const State& state) noexcept;

// A block of c.tokens rows behind the state, whose draft cache has room for it: x holds its last layer's output. What
// it leaves in the cache lies behind the state's position.
void think(const ops::Context& c, const DraftNetwork& draft, State& state, std::int32_t anchor);

// A token that may be next.
struct Candidate {
  float logit;
  std::int32_t token;
};
inline constexpr std::size_t kCandidates = 64;  // of a row, that the Markov head is asked about

// The likeliest so many of a row, in no order; ties go to the lower ids. All ids are below logits.size().
void find_likeliest(std::span<const float> logits, std::span<Candidate> out) noexcept;

// A guess, and how likely it comes true where those before it do.
struct Guessed {
  std::int32_t token;
  float confidence;  // 0..1
};

// The rows' guesses, one after the other.
//   x           (rows, hidden) of think()
//   candidates  (rows, n) of each
//   scratch     hidden + 2 * markov_rank floats
void follow_chain(const kernels::Table& kernels, const DraftNetwork& draft, std::int32_t anchor,
                  std::span<const float> x, std::span<const Candidate> candidates, std::span<float> scratch,
                  std::span<Guessed> out);

}  // namespace lfm::model
