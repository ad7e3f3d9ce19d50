#include "model/draft_network.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "kernels/math/math.h"
#include "ops/linear.h"

namespace lfm::model {
namespace {

using kernels::kSplit;

const ops::Attention& attention_of(const Layer& layer) {
  return std::get<ops::Attention>(layer.mixer);
}

// In as many sums as a vector has floats at most; n % 16 == 0.
float dot(const float* a, const float* b, std::size_t n) {
  constexpr std::size_t kSums = 16;
  std::array<float, kSums> sums{};
  for (std::size_t i = 0; i < n; i += kSums) {
    for (std::size_t k = 0; k < kSums; ++k) sums[k] += a[i + k] * b[i + k];
  }
  float sum = 0;
  for (const float part : sums) sum += part;
  return sum;
}

bool likelier(const Candidate& a, const Candidate& b) noexcept {
  return a.logit > b.logit || (a.logit == b.logit && a.token < b.token);
}

// A tile of fc's columns for one of the taps: a matrix by itself, since a tile holds column after column.
ops::Matrix tap_of(const ops::Matrix& fc, std::size_t hidden, std::size_t tap, std::size_t tile) {
  ops::Matrix part = fc;
  part.rows = kernels::kTileRows;
  part.columns = hidden;
  part.data += tile * fc.tile_bytes() + tap * part.tile_bytes();
  return part;
}

// Keys and values of these rows in all layers: wide (tokens, kv_width).
void project(const ops::Context& c, const DraftNetwork& draft, std::span<const float> g) {
  const Config& config = draft.config;
  ops::Forms forms = 0;
  for (const ops::Matrix& matrix : draft.kv) forms |= matrix.form();
  const ops::Activations& in = ops::prepare(c, config.hidden, forms, [&](std::size_t t, float* scratch) {
    c.kernels.vector.rms_norm(&g[t * config.hidden], draft.weights.draft.taps_norm, config.hidden, config.norm_eps,
                              scratch);
    return scratch;
  });
  ops::for_row_blocks(c, std::span(draft.kv_tiles), [&](std::size_t which, base::Range tiles) {
    ops::linear(c, draft.kv[which], {tiles}, in, c.workspace.wide.data() + draft.kv_columns[which], draft.kv_width);
  });
  c.worker.barrier();
}

void append(const ops::Context& c, const DraftNetwork& draft, const Run& run, ops::Rows rows, base::Range mine) {
  for (std::size_t i = 0; i < draft.weights.layers.size(); ++i) {
    const ops::Attention& attention = attention_of(draft.weights.layers[i]);
    const ops::KvRun kv{rows, run.state->position(), run.state->draft_kv()->layer(i)};
    for (std::size_t row = std::max(mine.begin, rows.first); row < std::min(mine.end, rows.first + rows.count); ++row) {
      float* const keys = &c.workspace.wide[row * draft.kv_width + draft.kv_columns[2 * i]];
      float* const values = &c.workspace.wide[row * draft.kv_width + draft.kv_columns[2 * i + 1]];
      for (std::size_t head = 0; head < attention.kv_heads; ++head) {
        const std::size_t at = head * attention.head_dim;
        attention.append(c, kv, row, head, draft.config.norm_eps, keys + at, values + at);
      }
    }
  }
}

// Where the draft's attention begins: its kernels go by splits.
std::size_t attention_begin(const State& state) noexcept {
  const std::size_t known = (state.draft_begin() + kSplit - 1) / kSplit * kSplit;
  const std::size_t late = state.position() - std::min(state.position(), kDraftWindow);
  return std::max(known, late / kSplit * kSplit);
}

}  // namespace

DraftNetwork DraftNetwork::create(Config config, Weights weights, const Weights& target) {
  if (weights.embedding.data == nullptr) weights.embedding = target.embedding;
  if (weights.head.data == nullptr) weights.head = target.head;
  DraftNetwork draft{std::move(config), std::move(weights), {}, {}, {}};
  const std::vector<std::size_t>& taps = draft.config.draft.taps;
  draft.first_tap = static_cast<std::size_t>(std::ranges::min_element(taps) - taps.begin());
  for (const Layer& layer : draft.weights.layers) {
    for (const ops::Matrix& matrix : {attention_of(layer).k, attention_of(layer).v}) {
      draft.kv.push_back(matrix);
      draft.kv_tiles.push_back(matrix.tiles());
      draft.kv_columns.push_back(draft.kv_width);
      draft.kv_width += matrix.rows;
    }
  }
  return draft;
}

void add_dimensions(const DraftNetwork& draft, ops::Dimensions& dimensions) {
  const ops::Dimensions own =
      workspace_dimensions(draft.config, dimensions.threads, dimensions.max_tokens, dimensions.max_positions);
  dimensions.heads = std::max(dimensions.heads, own.heads);
  dimensions.head_dim = std::max(dimensions.head_dim, own.head_dim);
  dimensions.widest_input = std::max(dimensions.widest_input, own.widest_input);
  dimensions.widest_output = std::max({dimensions.widest_output, own.widest_output, draft.kv_width});
}

bool can_take_taps(const DraftNetwork& draft) noexcept {
  const ops::Matrix& fc = draft.weights.draft.taps;
  return fc.tile_bytes() == draft.config.draft.taps.size() * tap_of(fc, draft.config.hidden, 0, 0).tile_bytes();
}

void take_tap(const ops::Context& all, const DraftNetwork& draft, std::size_t tap, std::span<float> g) {
  ops::Context c = all;
  c.xnn = nullptr;
  const ops::Matrix& fc = draft.weights.draft.taps;
  const std::size_t hidden = draft.config.hidden;
  const ops::Activations& in =
      ops::prepare(c, hidden, fc.form(), [&](std::size_t t, float*) { return &c.workspace.x[t * hidden]; });
  ops::for_row_blocks(c, {fc.tiles()}, [&](std::size_t, base::Range tiles) {
    const std::size_t begin = tiles.begin * kernels::kTileRows;
    const std::size_t columns = (tiles.end - tiles.begin) * kernels::kTileRows;
    const std::span<float> block = c.mine().panel;  // (tokens, columns)
    for (std::size_t tile = tiles.begin; tile < tiles.end; ++tile)
      ops::linear(c, tap_of(fc, hidden, tap, tile), {{0, 1}}, in, &block[(tile - tiles.begin) * kernels::kTileRows],
                  columns);
    for (std::size_t t = 0; t < c.tokens; ++t) {
      float* const sums = &g[t * hidden + begin];
      if (tap == draft.first_tap) {
        std::copy_n(&block[t * columns], columns, sums);
      } else {
        c.kernels.vector.add(&block[t * columns], columns, sums);
      }
    }
  });
  c.worker.barrier();
  c.done(ops::Phase::kDraft);
}

void remember(const ops::Context& all, const DraftNetwork& draft, std::span<const float> g, std::span<const Run> runs) {
  ops::Context c = all;
  c.xnn = nullptr;
  std::size_t first = 0;
  for (const Run& run : runs) {
    const ops::Rows rows{first, run.tokens.size()};
    ops::rotary_angles(c, draft.config.rope_base, draft.config.head_dim, rows, run.state->position());
    first += rows.count;
  }
  project(c, draft, g);
  const base::Range mine = c.worker.part(c.tokens);
  first = 0;
  for (const Run& run : runs) {
    if (run.state->draft_kv() != nullptr) append(c, draft, run, {first, run.tokens.size()}, mine);
    first += run.tokens.size();
  }
  c.worker.barrier();
  c.done(ops::Phase::kDraft);
}

bool may_guess(const State& state) noexcept {
  return state.draft_kv() != nullptr && attention_begin(state) <= state.position();
}

void think(const ops::Context& all, const DraftNetwork& draft, State& state, std::int32_t anchor) {
  ops::Context c = all;
  c.xnn = nullptr;
  const Config& config = draft.config;
  const ops::Rows rows{0, c.tokens};
  const base::Range mine = c.worker.part(c.tokens);
  for (std::size_t t = mine.begin; t < mine.end; ++t) {
    const std::int32_t token = t == 0 ? anchor : config.draft.mask_token;
    ops::read_row(draft.weights.embedding, static_cast<std::size_t>(token), &c.workspace.x[t * config.hidden]);
  }
  ops::rotary_angles(c, config.rope_base, config.head_dim, rows, state.position());
  c.worker.barrier();
  for (std::size_t i = 0; i < draft.weights.layers.size(); ++i) {
    const Layer& layer = draft.weights.layers[i];
    const ops::KvRun run{rows, state.position(), state.draft_kv()->layer(i), true, attention_begin(state)};
    attention_of(layer).mix(c, layer.operator_norm, config.norm_eps, {&run, 1});
    attention_of(layer).add_out(c);
    std::get<ops::DenseFfn>(layer.ffn).run(c, layer.ffn_norm, config.norm_eps);
  }
}

void Likeliest::clear() noexcept {
  std::ranges::fill(room_, Candidate{-std::numeric_limits<float>::infinity(), 0});
}

void Likeliest::add(const Candidate& candidate) noexcept {
  if (!likelier(candidate, room_.front())) return;
  std::ranges::pop_heap(room_, likelier);
  room_.back() = candidate;
  std::ranges::push_heap(room_, likelier);
}

void Likeliest::add(std::span<const float> logits, std::int32_t first_token) noexcept {
  constexpr std::size_t kAtOnce = 16;
  for (std::size_t begin = 0; begin < logits.size(); begin += kAtOnce) {
    const std::size_t end = std::min(begin + kAtOnce, logits.size());
    float most = logits[begin];  // most blocks have none that is likelier
    for (std::size_t i = begin; i < end; ++i) most = logits[i] > most ? logits[i] : most;
    if (most < room_.front().logit) continue;
    for (std::size_t i = begin; i < end; ++i) add({logits[i], first_token + static_cast<std::int32_t>(i)});
  }
}

GuessRoom::GuessRoom(const DraftNetwork& draft, std::size_t most_rows, unsigned members)
    : found(members * most_rows * kCandidates),
      candidates(most_rows * kCandidates),
      markov(most_rows * kCandidates * draft.config.draft.markov_rank),
      chain(draft.config.hidden + draft.config.draft.markov_rank) {}

void find_candidates(const ops::Context& c, const DraftNetwork& draft, const Shortlist& list, GuessRoom& room) {
  const std::size_t hidden = draft.config.hidden;
  const ops::Matrix& head = draft.weights.head;
  const auto found = [&](std::size_t member, std::size_t row) {
    return std::span(room.found).subspan((member * c.tokens + row) * kCandidates, kCandidates);
  };
  for (std::size_t t = 0; t < c.tokens; ++t) Likeliest(found(c.worker.index(), t)).clear();
  const ops::Activations& in = ops::prepare(c, hidden, head.form(), [&](std::size_t t, float* scratch) {
    const float* x = &c.workspace.x[t * hidden];
    c.kernels.vector.rms_norm(x, draft.weights.output_norm, hidden, draft.config.norm_eps, scratch);
    return scratch;
  });
  // Tiles one after another in the head.
  const auto add_tiles = [&](std::size_t first_tile, std::size_t count) {
    const std::size_t first = first_tile * kernels::kTileRows, columns = count * kernels::kTileRows;
    const std::span<float> block = c.mine().panel;  // (tokens, columns)
    ops::Matrix part = head;
    part.data += first_tile * head.tile_bytes();
    ops::linear(c, part, {{0, count}}, in, block.data(), columns);
    const std::size_t tokens = std::min(columns, list.vocab() - first);
    for (std::size_t t = 0; t < c.tokens; ++t)
      Likeliest(found(c.worker.index(), t)).add(block.subspan(t * columns, tokens), static_cast<std::int32_t>(first));
  };
  ops::for_row_blocks(c, {list.first(), list.others().size()}, [&](std::size_t which, base::Range tiles) {
    constexpr std::size_t kAtOnce = ops::kMaxColumnTiles;  // a token alone is given more
    if (which == 0) {
      for (std::size_t tile = tiles.begin; tile < tiles.end; tile += kAtOnce)
        add_tiles(tile, std::min(kAtOnce, tiles.end - tile));
    } else {
      for (std::size_t i = tiles.begin; i < tiles.end; ++i) add_tiles(list.others()[i], 1);
    }
  });
  c.worker.barrier();
  c.worker.for_each_task(c.tokens, [&](std::size_t row) {
    Likeliest best(std::span(room.candidates).subspan(row * kCandidates, kCandidates));
    best.clear();
    for (unsigned member = 0; member < c.worker.count(); ++member) {
      for (const Candidate& candidate : found(member, row)) best.add(candidate);
    }
  });
}

void read_markov(const ops::Context& c, const DraftNetwork& draft, GuessRoom& room) {
  const ops::Matrix& out = draft.weights.draft.markov_out;
  const base::Range mine = c.worker.part(c.tokens * kCandidates);
  for (std::size_t i = mine.begin; i < mine.end; ++i)
    ops::read_row(out, static_cast<std::size_t>(room.candidates[i].token), &room.markov[i * out.columns]);
}

void follow_chain(const kernels::Table& kernels, const DraftNetwork& draft, std::int32_t anchor,
                  std::span<const float> x, GuessRoom& room, std::span<Guessed> out) {
  const DraftEnds& ends = draft.weights.draft;
  const std::size_t hidden = draft.config.hidden, rank = ends.markov_in.columns;
  float* const y = room.chain.data();
  float* const from = y + hidden;
  std::int32_t last = anchor;
  for (std::size_t i = 0; i < out.size(); ++i) {
    ops::read_row(ends.markov_in, static_cast<std::size_t>(last), from);
    const Candidate* const candidates = &room.candidates[i * kCandidates];
    Candidate best{-std::numeric_limits<float>::infinity(), candidates[0].token};
    std::array<float, kCandidates> logits;
    for (std::size_t n = 0; n < kCandidates; ++n) {
      logits[n] = candidates[n].logit + dot(from, &room.markov[(i * kCandidates + n) * rank], rank);
      if (const Candidate now{logits[n], candidates[n].token}; likelier(now, best)) best = now;
    }
    float confidence = 0;
    if (ends.confidence != nullptr) {
      kernels.vector.rms_norm(&x[i * hidden], draft.weights.output_norm, hidden, draft.config.norm_eps, y);
      const float bias = ends.confidence_bias != nullptr ? *ends.confidence_bias : 0;
      confidence = kernels::sigmoid(dot(ends.confidence, y, hidden) + dot(ends.confidence + hidden, from, rank) + bias);
    } else {
      float sum = 0;
      for (std::size_t n = 0; n < kCandidates; ++n) {
        const float below = logits[n] - best.logit;
        sum += kernels::sigmoid(below) / kernels::sigmoid(-below);  // e^below
      }
      confidence = 1 / sum;
    }
    out[i] = {best.token, confidence >= 0 && confidence <= 1 ? confidence : 0};  // NaN: none
    last = best.token;
  }
}

}  // namespace lfm::model
