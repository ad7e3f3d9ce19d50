#include "ops/experts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "kernels/math/math.h"
#include "ops/linear.h"

namespace lfm::ops {
namespace {

using kernels::kTileRows;

// Of an expert's width: what a member's part of a single token is a multiple of, and what a run of several tokens has:
// experts' numbers of tokens differ, so that longer ones wouldn't be alike.
constexpr std::size_t kChannelStep = 32;
constexpr std::size_t kChannelsAtOnce = kMaxColumnTiles * kTileRows;

// Orders the (token, expert) pairs of the chunk by expert, then token, and cuts each expert's into tiles of `most` at
// most. Every member does it for itself, which is cheaper than waiting for one. Returns the number of tiles.
std::size_t plan(const Context& c, std::span<const Choice> choices, std::size_t experts, std::size_t used,
                 std::size_t most) {
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
  std::size_t tiles = 0;
  for (std::size_t e = 0; e < experts; ++e) {
    mine.expert_tile[e] = static_cast<std::uint32_t>(tiles);
    for (std::uint32_t pair = begin[e]; pair < begin[e + 1]; pair += mine.tiles[tiles++].pairs) {
      mine.tiles[tiles] = {static_cast<std::uint32_t>(e), pair,
                           std::min(static_cast<std::uint32_t>(most), begin[e + 1] - pair)};
    }
  }
  mine.expert_tile[experts] = static_cast<std::uint32_t>(tiles);
  return tiles;
}

}  // namespace

void choose_experts(const float* logits, const float* bias, std::size_t experts, std::span<Choice> chosen) {
  float scores[kMaxExperts];
  for (std::size_t e = 0; e < experts; ++e) {
    const float score = kernels::sigmoid(logits[e]) + bias[e];
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
  for (Choice& choice : chosen) sum += choice.weight = kernels::sigmoid(logits[choice.expert]);
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

  // One token: the router's rows are shared out, which is worth 0.6 % of its time on two members. Several: the tokens
  // are.
  std::span<const Choice> choices;
  if (c.tokens == 1) {
    const base::Range part = c.worker.part(router.tiles());
    multiply(c, router, router.data, part, {in, nullptr, 0, 1}, w.router_logits.data() + part.begin * kTileRows, 0);
    c.worker.barrier();
    choose_experts(w.router_logits.data(), bias, experts, mine.choices);
    choices = mine.choices;
  } else {
    const base::Range part = c.worker.part(c.tokens);
    const std::size_t stride = router.tiles() * kTileRows;
    const std::size_t most = most_tokens(c, router);
    for (std::size_t token = part.begin; token < part.end; token += most) {
      const std::size_t count = std::min(most, part.end - token);
      multiply(c, router, router.data, {0, router.tiles()}, {in, nullptr, token, count}, mine.logits.data(), stride);
      for (std::size_t i = 0; i < count; ++i) {
        choose_experts(mine.logits.data() + i * stride, bias, experts, w.choices.subspan((token + i) * used, used));
      }
    }
    c.worker.barrier();
    choices = w.choices.first(c.tokens * used);
  }

  const std::size_t most = std::min({most_tokens(c, gate), most_tokens(c, up), most_tokens(c, down)});
  const std::size_t tiles = plan(c, choices, experts, used, most);
  c.done(Phase::kRouter);
  if (c.tokens == 1) {
    gate_up_one(c, in, tiles);
  } else {
    gate_up_many(c, in);
  }
  c.worker.barrier();
  c.done(Phase::kExpertsIn);
  if (c.tokens == 1) {
    down_add_one(c, tiles);
  } else {
    down_add_many(c, tiles);
  }
  c.worker.barrier();
  c.done(Phase::kExpertsOut);
}

// inner[pair] = silu(gate u) * (up u), in the form that down wants. Overwrites the gates.
void Experts::finish_inner(const Context& c, std::size_t pair, base::Range channels, float* gates,
                           const float* ups) const {
  const Activations& inner = c.workspace.inner;
  const std::size_t width = down.columns;
  const std::size_t count = channels.end - channels.begin;
  c.kernels.vector.swiglu(gates, ups, count, gates);
  if (down.form() == kBlocks) {
    const std::size_t at = pair * kernels::act_row_bytes(width) + kernels::act_row_bytes(channels.begin);
    c.kernels.vector.quantize_act(gates, count, inner.blocks + at);
  } else {
    std::copy_n(gates, count, inner.floats + pair * width + channels.begin);
  }
}

// Gate and up of two experts are four strips, which a member's runs of channels go through from end to end.
void Experts::gate_up_one(const Context& c, const Activations& in, std::size_t tiles) const {
  constexpr std::size_t kAtOnce = kStrips / 2;
  const Workspace::Private& mine = c.mine();
  const std::size_t width = gate.rows;
  const auto run_channels = [&](std::size_t first, base::Range channels) {
    const std::size_t count = channels.end - channels.begin;
    const std::size_t tile = channels.begin / kTileRows;
    const std::size_t pairs = std::min(kAtOnce, tiles - first);
    kernels::Strip strips[kStrips];  // gates, then ups
    for (std::size_t i = 0; i < pairs; ++i) {
      const std::size_t expert = mine.tiles[first + i].expert;
      float* out = mine.tile.data() + i * count;
      strips[i] = {gate.data + expert * gate.bytes() + tile * gate.tile_bytes(), act_row(gate, in, 0), out};
      strips[pairs + i] = {up.data + expert * up.bytes() + tile * up.tile_bytes(), act_row(up, in, 0),
                           out + pairs * count};
    }
    if (gate.format == up.format) {
      multiply(c, gate, std::span(strips).first(2 * pairs), count / kTileRows);
    } else {
      multiply(c, gate, std::span(strips).first(pairs), count / kTileRows);
      multiply(c, up, std::span(strips).subspan(pairs, pairs), count / kTileRows);
    }
    for (std::size_t i = 0; i < pairs; ++i) {
      finish_inner(c, mine.tiles[first + i].first_pair, channels, strips[i].out, strips[pairs + i].out);
    }
  };

  const std::size_t steps = (width + kChannelStep - 1) / kChannelStep;
  c.worker.for_each_run((tiles + kAtOnce - 1) / kAtOnce * steps, {}, [&](base::Range run) {
    for (std::size_t step = run.begin, next; step < run.end; step = next) {
      next = std::min(run.end, (step / steps + 1) * steps);
      const std::size_t channel = step % steps * kChannelStep;
      run_channels(step / steps * kAtOnce, {channel, std::min(width, channel + (next - step) * kChannelStep)});
    }
  });
}

void Experts::gate_up_many(const Context& c, const Activations& in) const {
  const Workspace::Private& mine = c.mine();
  const std::size_t width = gate.rows;
  const auto run_channels = [&](std::size_t expert, base::Range channels) {
    const std::size_t count = channels.end - channels.begin;
    const base::Range rows{channels.begin / kTileRows, channels.end / kTileRows};
    // Experts without tokens have no tiles.
    for (std::size_t i = mine.expert_tile[expert]; i < mine.expert_tile[expert + 1]; ++i) {
      const ExpertTile& tile = mine.tiles[i];
      const ActRows act{in, mine.pair_token.data(), tile.first_pair, tile.pairs};
      float* gates = mine.tile.data();  // (pairs, channels)
      float* ups = gates + tile.pairs * count;
      multiply(c, gate, gate.data + expert * gate.bytes(), rows, act, gates, count);
      multiply(c, up, up.data + expert * up.bytes(), rows, act, ups, count);
      for (std::size_t slot = 0; slot < tile.pairs; ++slot) {
        finish_inner(c, tile.first_pair + slot, channels, gates + slot * count, ups + slot * count);
      }
    }
  };

  const std::size_t blocks = (width + kChannelsAtOnce - 1) / kChannelsAtOnce;
  c.worker.for_each_run(experts * blocks, {.most = 1}, [&](base::Range run) {
    const std::size_t channel = run.begin % blocks * kChannelsAtOnce;
    run_channels(run.begin / blocks, {channel, std::min(width, channel + kChannelsAtOnce)});
  });
}

// x += sum over experts of weight * down(inner). Whoever owns output columns sums over all experts: no atomics, and one
// order of the sum. The same columns of the experts are strips.
void Experts::down_add_one(const Context& c, std::size_t tiles) const {
  const Workspace& w = c.workspace;
  const Workspace::Private& mine = c.mine();
  c.worker.for_each_run(down.tiles(), {}, [&](base::Range rows) {
    const std::size_t column = rows.begin * kTileRows;
    const std::size_t columns = (rows.end - rows.begin) * kTileRows;
    float* sums = mine.panel.data();
    std::fill_n(sums, columns, 0.0f);
    for (std::size_t first = 0; first < tiles; first += kStrips) {
      const std::size_t count = std::min(kStrips, tiles - first);
      kernels::Strip strips[kStrips];
      for (std::size_t i = 0; i < count; ++i) {
        const ExpertTile& tile = mine.tiles[first + i];
        strips[i] = {down.data + tile.expert * down.bytes() + rows.begin * down.tile_bytes(),
                     act_row(down, w.inner, tile.first_pair), mine.tile.data() + i * columns};
      }
      multiply(c, down, std::span(strips).first(count), rows.end - rows.begin);
      for (std::size_t i = 0; i < count; ++i) {
        c.kernels.vector.add_scaled(strips[i].out, mine.pair_weight[mine.tiles[first + i].first_pair], columns, sums);
      }
    }
    c.kernels.vector.add(sums, columns, w.x.data() + column);
  });
}

void Experts::down_add_many(const Context& c, std::size_t tiles) const {
  const Workspace& w = c.workspace;
  const Workspace::Private& mine = c.mine();
  const std::size_t hidden = down.rows;
  for_native_row_blocks(c, std::array{down.tiles()}, [&](std::size_t, base::Range rows) {
    const std::size_t column = rows.begin * kTileRows;
    const std::size_t columns = (rows.end - rows.begin) * kTileRows;
    float* sums = mine.panel.data();  // (tokens, columns)
    float* product = mine.tile.data();
    std::fill_n(sums, c.tokens * columns, 0.0f);
    for (std::size_t i = 0; i < tiles; ++i) {
      const ExpertTile& tile = mine.tiles[i];
      const ActRows act{w.inner, nullptr, tile.first_pair, tile.pairs};
      multiply(c, down, down.data + tile.expert * down.bytes(), rows, act, product, columns);
      for (std::size_t slot = 0; slot < tile.pairs; ++slot) {
        const std::size_t pair = tile.first_pair + slot;
        c.kernels.vector.add_scaled(product + slot * columns, mine.pair_weight[pair], columns,
                                    sums + mine.pair_token[pair] * columns);
      }
    }
    for (std::size_t t = 0; t < c.tokens; ++t) {
      c.kernels.vector.add(sums + t * columns, columns, w.x.data() + t * hidden + column);
    }
  });
}

}  // namespace lfm::ops
