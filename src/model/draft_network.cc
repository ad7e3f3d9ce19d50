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

float dot(const float* a, const float* b, std::size_t n) {
  float sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

// What the target's layers had, as one row of the draft's for each token: mixed (tokens, hidden). As many rows at once
// as the workspace has room for: they are wider than any other.
void mix_taps(const ops::Context& all, const DraftNetwork& draft, std::span<const float> taps) {
  const ops::Matrix& matrix = draft.weights.draft.taps;
  const ops::Dimensions& room = all.workspace.dimensions();
  const std::size_t at_once = std::max<std::size_t>(1, room.max_tokens * room.widest_input / matrix.columns);
  ops::Context c = all;
  for (std::size_t first = 0; first < all.tokens; first += at_once) {
    c.tokens = std::min(at_once, all.tokens - first);
    const ops::Activations& in = ops::prepare(
        c, matrix.columns, matrix.form(), [&](std::size_t t, float*) { return &taps[(first + t) * matrix.columns]; });
    ops::for_row_blocks(c, {matrix.tiles()}, [&](std::size_t, base::Range tiles) {
      ops::linear(c, matrix, {tiles}, in, &c.workspace.mixed[first * matrix.rows], matrix.rows);
    });
    c.worker.barrier();
  }
}

// Keys and values of these rows in all layers: wide (tokens, kv_width).
void project(const ops::Context& c, const DraftNetwork& draft) {
  const Config& config = draft.config;
  ops::Forms forms = 0;
  for (const ops::Matrix& matrix : draft.kv) forms |= matrix.form();
  const ops::Activations& in = ops::prepare(c, config.hidden, forms, [&](std::size_t t, float* scratch) {
    const float* row = &c.workspace.mixed[t * config.hidden];
    c.kernels.vector.rms_norm(row, draft.weights.draft.taps_norm, config.hidden, config.norm_eps, scratch);
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
  return (state.draft_begin() + kSplit - 1) / kSplit * kSplit;
}

}  // namespace

DraftNetwork DraftNetwork::create(Config config, Weights weights, const Weights& target) {
  if (weights.embedding.data == nullptr) weights.embedding = target.embedding;
  if (weights.head.data == nullptr) weights.head = target.head;
  DraftNetwork draft{std::move(config), std::move(weights), {}, {}, {}};
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
  dimensions.widest_row = draft.config.draft.taps.size() * draft.config.hidden;
  dimensions.widest_output = std::max({dimensions.widest_output, own.widest_output, draft.kv_width});
}

void remember(const ops::Context& all, const DraftNetwork& draft, std::span<const float> taps,
              std::span<const Run> runs) {
  ops::Context c = all;
  c.xnn = nullptr;
  std::size_t first = 0;
  for (const Run& run : runs) {
    const ops::Rows rows{first, run.tokens.size()};
    ops::rotary_angles(c, draft.config.rope_base, draft.config.head_dim, rows, run.state->position());
    first += rows.count;
  }
  mix_taps(c, draft, taps);
  project(c, draft);
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

void find_likeliest(std::span<const float> logits, std::span<Candidate> out) noexcept {
  const auto likelier = [](const Candidate& a, const Candidate& b) {
    return a.logit > b.logit || (a.logit == b.logit && a.token < b.token);
  };
  const std::size_t count = std::min(out.size(), logits.size());
  for (std::size_t i = 0; i < count; ++i) out[i] = {logits[i], static_cast<std::int32_t>(i)};
  std::fill(out.begin() + static_cast<std::ptrdiff_t>(count), out.end(),
            Candidate{-std::numeric_limits<float>::infinity(), 0});
  std::make_heap(out.begin(), out.end(), likelier);  // the least likely first
  constexpr std::size_t kAtOnce = 16;
  for (std::size_t begin = count; begin < logits.size(); begin += kAtOnce) {
    const std::size_t end = std::min(begin + kAtOnce, logits.size());
    float most = logits[begin];  // most blocks have none that is likelier
    for (std::size_t i = begin; i < end; ++i) most = logits[i] > most ? logits[i] : most;
    if (!(most > out.front().logit)) continue;
    for (std::size_t i = begin; i < end; ++i) {
      if (!(logits[i] > out.front().logit)) continue;
      std::pop_heap(out.begin(), out.end(), likelier);
      out.back() = {logits[i], static_cast<std::int32_t>(i)};
      std::push_heap(out.begin(), out.end(), likelier);
    }
  }
}

void follow_chain(const kernels::Table& kernels, const DraftNetwork& draft, std::int32_t anchor,
                  std::span<const float> x, std::span<const Candidate> candidates, std::span<float> scratch,
                  std::span<Guessed> out) {
  const DraftEnds& ends = draft.weights.draft;
  const std::size_t hidden = draft.config.hidden, rank = ends.markov_in.columns;
  float* const y = scratch.data();
  float* const from = y + hidden;
  float* const to = from + rank;
  const std::size_t each = candidates.size() / out.size();
  std::int32_t last = anchor;
  for (std::size_t i = 0; i < out.size(); ++i) {
    ops::read_row(ends.markov_in, static_cast<std::size_t>(last), from);
    Candidate best{-std::numeric_limits<float>::infinity(), candidates[i * each].token};
    std::array<float, kCandidates> logits;
    for (std::size_t n = 0; n < each; ++n) {
      const Candidate& candidate = candidates[i * each + n];
      ops::read_row(ends.markov_out, static_cast<std::size_t>(candidate.token), to);
      logits[n] = candidate.logit + dot(from, to, rank);
      if (logits[n] > best.logit || (logits[n] == best.logit && candidate.token < best.token))
        best = {logits[n], candidate.token};
    }
    float confidence = 0;
    if (ends.confidence != nullptr) {
      kernels.vector.rms_norm(&x[i * hidden], draft.weights.output_norm, hidden, draft.config.norm_eps, y);
      const float bias = ends.confidence_bias != nullptr ? *ends.confidence_bias : 0;
      confidence = kernels::sigmoid(dot(ends.confidence, y, hidden) + dot(ends.confidence + hidden, from, rank) + bias);
    } else {
      float sum = 0;
      for (std::size_t n = 0; n < each; ++n) {
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
