// What every operation of a forward pass works with: the kernels, this member of the team, and the shared scratch
// memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/memory.h"
#include "base/team.h"
#include "kernels/table.h"
#include "ops/matrix.h"
#include "ops/profile.h"

namespace lfm::ops {

// The activations of up to max_tokens tokens in the forms that the consumer's kernels want.
struct Activations {
  std::byte* blocks = nullptr;     // kBlocks: (tokens, act_row_bytes(k))
  float* floats = nullptr;         // kFloats: (tokens, k)
  std::int8_t* rows = nullptr;     // kRows: (tokens, k)
  XnnRowParams* params = nullptr;  // kRows: (tokens)
};

// One expert's share of a tile of tokens; see ops/experts.h.
struct ExpertTile {
  std::uint32_t expert;
  std::uint32_t first_pair;  // of the (token, expert) pairs, ordered by expert and token
  std::uint32_t pairs;       // 1 to MatmulKernels::most_tokens
};

struct Choice {
  std::uint32_t expert;
  float weight;
};

inline constexpr std::size_t kMaxColumnTiles = 16;  // row tiles of an output block whose sums wait in Private::panel

inline constexpr std::size_t kStrips = 4;  // that kernels read side by side with one token

struct Dimensions {
  unsigned threads = 1;
  std::size_t max_tokens = 1;  // of a chunk
  std::size_t hidden = 0;
  std::size_t widest_input = 0;   // the largest K of a matrix
  std::size_t widest_output = 0;  // floats a token of the widest intermediate result
  std::size_t heads = 0;
  std::size_t head_dim = 0;
  std::size_t max_positions = 0;  // of the context
  std::size_t experts = 0;
  std::size_t experts_used = 0;
  std::size_t expert_width = 0;
};

// All scratch memory of a forward pass, allocated once. T = max_tokens.
class Workspace {
 public:
  static Result<Workspace> create(const Dimensions& dimensions);

  // What one member of the team has to itself.
  struct Private {
    Activations token;                      // of a single token
    std::span<float> row;                   // (widest_input)
    std::span<float> panel;                 // (max(T * 256, hidden + 16)) sums of an output block
    std::span<float> tile;                  // (kMaxTokens, 2 * 256) results of some tokens, or
                                            // (kStrips, max(hidden + 16, expert_width)) of one token's strips
    std::span<Choice> choices;              // (experts_used) of a single token
    std::span<float> logits;                // (kMaxTokens, experts padded to 16)
    std::span<ExpertTile> tiles;            // of the chunk
    std::span<std::uint32_t> pair_token;    // (T * experts_used) token of each pair
    std::span<float> pair_weight;           // (T * experts_used)
    std::span<std::uint32_t> expert_begin;  // (experts + 1) first pair of each expert
    std::span<std::uint32_t> expert_tile;   // (experts + 1) first tile of each expert
    std::span<float> queries;               // (16, head_dim)
    std::span<float> partial_ml;            // (2, splits, 16)
    std::span<float> partial_o;             // (splits, 16, head_dim)
  };

  const Dimensions& dimensions() const noexcept { return dimensions_; }
  std::size_t bytes() const noexcept { return arena_.size(); }

  std::span<float> x;                     // (T, hidden) the residual stream
  std::span<float> wide;                  // (T, widest_output)
  std::span<float> mixed;                 // (T, widest_input) a mixer's or FFN's inner result
  std::span<float> narrow;                // (T, hidden + 16) result of an output projection
  Activations shared;                     // of T tokens
  Activations inner;                      // of T * experts_used pairs, ordered by expert; K = expert_width
  std::span<Choice> choices;              // (T, experts_used)
  std::span<float> router_logits;         // (experts padded to 16) of a single token
  std::span<float> cos, sin;              // (T, head_dim / 2)
  std::span<float> partial_m, partial_l;  // (splits, heads) of a single token
  std::span<float> partial_o;             // (splits, heads, head_dim)
  std::vector<Private> members;           // (threads)

 private:
  Dimensions dimensions_;
  base::Arena arena_;
};

// Rows of a pass that are consecutive tokens of one sequence. Attention and convolution walk such runs; to everything
// else a row is a row.
struct Rows {
  std::size_t first;
  std::size_t count;
};

struct Context {
  const kernels::Table& kernels;
  base::Worker& worker;
  Workspace& workspace;
  XnnWorker* xnn;  // null where no matrix is XNNPACK's
  std::size_t tokens;  // rows of the pass
  Profile* profile = nullptr;  // of the member that keeps one

  void done(Phase phase) const noexcept {
    if (profile != nullptr) profile->done(phase);
  }
  Workspace::Private& mine() const noexcept { return workspace.members[worker.index()]; }
};

}  // namespace lfm::ops
