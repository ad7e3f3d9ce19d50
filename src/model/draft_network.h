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
// approximate: they see a part of a long context and are from a part of the vocabulary (shortlist.h), and the Markov
// head is asked about the likeliest tokens of each row alone.
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
#include "model/shortlist.h"
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

  std::size_t first_tap = 0;  // of config.draft.taps, that of the first layer

  // Of a checked configuration's weights, which take from the target what they lack.
  static DraftNetwork create(Config config, Weights weights, const Weights& target);
};

// Room in the workspace for what follows.
void add_dimensions(const DraftNetwork& draft, ops::Dimensions& dimensions);

// Whether fc's columns can be had tap by tap: groups of a block format's columns mustn't be of two.
bool can_take_taps(const DraftNetwork& draft) noexcept;

// Taps::take() for the draft's config.draft.taps.
//   g  (rows of the pass, hidden) gets fc's product with all of them, before its norm
void take_tap(const ops::Context& c, const DraftNetwork& draft, std::size_t tap, std::span<float> g);

// The rows of a pass become keys and values of the draft in the runs' states, which have room for them. Leaves the
// workspace's x alone.
void remember(const ops::Context& c, const DraftNetwork& draft, std::span<const float> g, std::span<const Run> runs);

// A block sees so many positions before it, and up to kSplit more: all of a long context would take a block's rows
// longer than a token takes the target.
inline constexpr std::size_t kDraftWindow = 2048;

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

// The likeliest tokens so far of those that were added, in no order; ties go to the lower ids. NaN is never among them.
class Likeliest {
 public:
  // `room`: at least one, some of which stay with a logit of -infinity and token 0 where fewer are added.
  explicit Likeliest(std::span<Candidate> room) noexcept : room_(room) {}
  void clear() noexcept;
  void add(std::span<const float> logits, std::int32_t first_token) noexcept;  // of tokens one after another
  void add(const Candidate& candidate) noexcept;

 private:
  std::span<Candidate> room_;  // a heap, the least likely first
};

// What the rows of a block may be, and scratch for it.
struct GuessRoom {
  // For blocks of at most so many rows on a team of so many.
  GuessRoom(const DraftNetwork& draft, std::size_t most_rows, unsigned members);

  std::vector<Candidate> found;       // (members, rows, kCandidates)
  std::vector<Candidate> candidates;  // (rows, kCandidates)
  std::vector<float> markov;          // (rows, kCandidates, markov_rank) their rows of markov_out
  std::vector<float> chain;           // hidden + markov_rank
};

// The likeliest tokens of the rows of think() that are in the list. What it leaves is good after the next barrier.
void find_candidates(const ops::Context& c, const DraftNetwork& draft, const Shortlist& list, GuessRoom& room);

// The rows of the Markov head that follow_chain() needs of them.
void read_markov(const ops::Context& c, const DraftNetwork& draft, GuessRoom& room);

// A guess, and how likely it comes true where those before it do.
struct Guessed {
  std::int32_t token;
  float confidence;  // 0..1
};

// The rows' guesses, one after the other.
//   x  (rows, hidden) of think()
void follow_chain(const kernels::Table& kernels, const DraftNetwork& draft, std::int32_t anchor,
                  std::span<const float> x, GuessRoom& room, std::span<Guessed> out);

}  // namespace lfm::model
