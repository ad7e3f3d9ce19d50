#include "ops/experts.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/linear.h"

namespace lfm::ops {
namespace {

using kernels::kMaxTokens;
using kernels::kTileRows;

// Of an expert's width: what a member's part of a single token is a multiple of, and what a task of several tokens has.
constexpr std::size_t kChannelStep = 64;
constexpr std::size_t kChannelsAtOnce = kMaxColumnTiles * kTileRows;

// Row tiles of the output in one task when several tokens run. Every task reads the inner activations of all tokens, so
// tasks are few: four for each member.
std::size_t down_tiles_at_once(std::size_t tiles, unsigned threads) {
  return std::clamp<std::size_t>(tiles / (threads * std::size_t{4}), 1, kMaxColumnTiles);
}

float sigmoid(float x) {
  return 1.0f / (1.0f + std::exp(-x));
}

// Orders the (token, expert) pairs of the chunk by expert, then token, and cuts each expert's into tiles. Every member
// does it for itself, which is cheaper than waiting for one. Returns the number of tiles.
std::size_t plan(const Context& c, std::span<const Choice> choices, std::size_t experts, std::size_t used) {
  Workspace::Private& mine = c.mine();
  std::span<std::uint32_t> begin = mine.expert_begin.first(experts + 1);
  std::fill(begin.begin(), begin.end(), 0u);
  for (const Choice& choice : choices) ++begin[choice.expert + 1];
  for (std::size_t e = 0; e < experts; ++e) begin[e + 1] += begin[e];
  // expert_tile counts pairs placed so far, until the tiles are cut.
  std::span<std::uint32_t> placed = mine.expert_tile.first(experts + 1);
  std::copy(begin.begin(), begin.end(), placed.begin());
  for (std::size_t i = 0; i < choices.size(); ++i) {
    const std::uint32_t pair = placed[choices[i].expert]++;
    mine.pair_token[pair] = static_cast<std::uint32_t>(i / used);
    mine.pair_weight[pair] = choices[i].weight;
  }
  const auto most = static_cast<std::uint32_t>(c.kernels.matmul.most_tokens);
  std::size_t tiles = 0;
  for (std::size_t e = 0; e < experts; ++e) {
    mine.expert_tile[e] = static_cast<std::uint32_t>(tiles);
    for (std::uint32_t pair = begin[e]; pair < begin[e + 1]; pair += mine.tiles[tiles++].pairs) {
      mine.tiles[tiles] = {static_cast<std::uint32_t>(e), pair, std::min(most, begin[e + 1] - pair)};
    }
  }
  mine.expert_tile[experts] = static_cast<std::uint32_t>(tiles);
  return tiles;
}

// The rows of a tile of tokens, followed by those of the expert's next; `numbers` as in ActRows.
ActRows rows_of(const Context& c, const ExpertTile& tile, const Activations& in, const std::uint32_t* numbers) {
  const std::size_t end = c.mine().expert_begin[tile.expert + 1];
  return {in, numbers, tile.first_pair, tile.pairs, end - tile.first_pair - tile.pairs};
}

}  // namespace

void choose_experts(const float* logits, const float* bias, std::size_t experts, std::span<Choice> chosen) {
  float scores[kMaxExperts];
  for (std::size_t e = 0; e < experts; ++e) {
    const float score = sigmoid(logits[e]) + bias[e];
    scores[e] = std::isnan(score) ? -std::numeric_limits<float>::infinity() : score;
  }
  // Insertion into a short sorted list; an equal score comes after, so ties go to the lower index.
  std::size_t count = 0;
  for (std::size_t e = 0; e < experts; ++e) {
    std::size_t at = count;
    while (at > 0 && scores[e] > scores[chosen[at - 1].expert]) --at;
    if (at == chosen.size()) continue;
    count = std::min(count + 1, chosen.size());
    for (std::size_t i = count - 1; i > at; --i) chosen[i] = chosen[i - 1];
    chosen[at].expert = static_cast<std::uint32_t>(e);
  }
  std::sort(chosen.begin(), chosen.end(), [](const Choice& a, const Choice& b) { return a.expert < b.expert; });
  float sum = 0;
  for (Choice& choice : chosen) sum += choice.weight = sigmoid(logits[choice.expert]);
  for (Choice& choice : chosen) choice.weight /= sum + 1e-6f;
}

void Experts::run(const Context& c, const float* gamma, float eps) const {
  Workspace& w = c.workspace;
  Workspace::Private& mine = c.mine();
  const std::size_t hidden = down.rows;
  const Forms forms = gate.form() | up.form();
  const Activations& in = prepare(c, hidden, forms | kFloats, [&](std::size_t token, float* scratch) {
    c.kernels.vector.rms_norm(w.x.data() + token * hidden, gamma, hidden, eps, scratch);
    return scratch;
  });

  // One token: the router's rows are shared out. Several: the tokens are.
  std::span<const Choice> choices;
  if (c.tokens == 1) {
    const base::Range part = c.worker.part(router.tiles());
    multiply(c, router, router.data, part, {in, nullptr, 0, 1, 0}, w.router_logits.data() + part.begin * kTileRows, 0);
    c.worker.barrier();
    choose_experts(w.router_logits.data(), bias, experts, mine.choices);
    choices = mine.choices;
  } else {
    const base::Range part = c.worker.part(c.tokens);
    const std::size_t stride = router.tiles() * kTileRows;
    for (std::size_t token = part.begin; token < part.end; token += kMaxTokens) {
      const std::size_t count = std::min(kMaxTokens, part.end - token);
      multiply(c, router, router.data, {0, router.tiles()}, {in, nullptr, token, count, 0}, mine.logits.data(), stride);
      for (std::size_t i = 0; i < count; ++i) {
        choose_experts(mine.logits.data() + i * stride, bias, experts, w.choices.subspan((token + i) * used, used));
      }
    }
    c.worker.barrier();
    choices = w.choices.first(c.tokens * used);
  }

  const std::size_t tiles = plan(c, choices, experts, used);
  c.done(Phase::kRouter);
  gate_up(c, in, tiles);
  c.worker.barrier();
  c.done(Phase::kExpertsIn);
  down_add(c, tiles);
  c.worker.barrier();
  c.done(Phase::kExpertsOut);
}

// inner[pair] = silu(gate u) * (up u), in the form that down wants. With a single token, what a member takes of an
// expert's channels runs as one, so that gate and up are long streams.
void Experts::gate_up(const Context& c, const Activations& in, std::size_t tiles) const {
  Workspace& w = c.workspace;
  const Workspace::Private& mine = c.mine();
  const std::size_t width = gate.rows;
  const bool to_blocks = down.form() == kBlocks;

  const auto run_channels = [&](std::size_t expert, std::size_t channel, std::size_t end) {
    const std::size_t channels = std::min(end, width) - channel;
    const base::Range rows{channel / kTileRows, (channel + channels) / kTileRows};
    for (std::size_t i = mine.expert_tile[expert]; i < mine.expert_tile[expert + 1]; ++i) {
      const ExpertTile& tile = mine.tiles[i];
      const ActRows act = rows_of(c, tile, in, mine.pair_token.data());
      float* gates = mine.tile.data();  // (pairs, channels)
      float* ups = gates + tile.pairs * channels;
      multiply(c, gate, gate.data + expert * gate.bytes(), rows, act, gates, channels);
      multiply(c, up, up.data + expert * up.bytes(), rows, act, ups, channels);
      for (std::size_t slot = 0; slot < tile.pairs; ++slot) {
        float* row = gates + slot * channels;
        c.kernels.vector.swiglu(row, ups + slot * channels, channels, row);
        const std::size_t pair = tile.first_pair + slot;
        if (to_blocks) {
          const std::size_t at = pair * kernels::act_row_bytes(width) + kernels::act_row_bytes(channel);
          c.kernels.vector.quantize_act(row, channels, w.inner.blocks + at);
        } else {
          std::copy_n(row, channels, w.inner.floats + pair * width + channel);
        }
      }
    }
  };

  // Experts without tokens have no tiles; the used ones are those of the tiles.
  if (c.tokens == 1) {
    const std::size_t steps = (width + kChannelStep - 1) / kChannelStep;
    c.worker.for_each_run(tiles * steps, 1, [&](base::Range run) {
      for (std::size_t step = run.begin; step < run.end;) {
        const std::size_t first = step % steps;
        const std::size_t count = std::min(steps - first, run.end - step);
        run_channels(mine.tiles[step / steps].expert, first * kChannelStep, (first + count) * kChannelStep);
        step += count;
      }
    });
  } else {
    const std::size_t blocks = (width + kChannelsAtOnce - 1) / kChannelsAtOnce;
    c.worker.for_each_run(experts * blocks, 1, [&](base::Range run) {
      for (std::size_t task = run.begin; task < run.end; ++task) {
        const std::size_t channel = task % blocks * kChannelsAtOnce;
        run_channels(task / blocks, channel, channel + kChannelsAtOnce);
      }
    });
  }
}

// x += sum over experts of weight * down(inner). Whoever owns output columns sums over all experts: no atomics, and one
// order of the sum.
void Experts::down_add(const Context& c, std::size_t tiles) const {
  Workspace& w = c.workspace;
  const Workspace::Private& mine = c.mine();
  const std::size_t hidden = down.rows;

  const auto run_columns = [&](base::Range rows) {
    const std::size_t column = rows.begin * kTileRows;
    const std::size_t columns = (rows.end - rows.begin) * kTileRows;
    float* sums = mine.panel.data();  // (tokens, columns)
    float* product = mine.tile.data();
    std::fill_n(sums, c.tokens * columns, 0.0f);
    for (std::size_t i = 0; i < tiles; ++i) {
      const ExpertTile& tile = mine.tiles[i];
      multiply(c, down, down.data + tile.expert * down.bytes(), rows, rows_of(c, tile, w.inner, nullptr), product,
               columns);
      for (std::size_t slot = 0; slot < tile.pairs; ++slot) {
        const std::size_t pair = tile.first_pair + slot;
        c.kernels.vector.add_scaled(product + slot * columns, mine.pair_weight[pair], columns,
                                    sums + mine.pair_token[pair] * columns);
      }
    }
    for (std::size_t t = 0; t < c.tokens; ++t) {
      c.kernels.vector.add(sums + t * columns, columns, w.x.data() + t * hidden + column);
    }
  };

  if (c.tokens == 1) {
    c.worker.for_each_run(down.tiles(), kLeastTiles, run_columns);
  } else {
    const std::size_t step = down_tiles_at_once(down.tiles(), c.worker.count());
    c.worker.for_each_task((down.tiles() + step - 1) / step, [&](std::size_t block) {
      run_columns({block * step, std::min(down.tiles(), (block + 1) * step)});
    });
  }
}

}  // namespace lfm::ops
