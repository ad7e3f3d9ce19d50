#include "model/forward.h"

#include <algorithm>
#include <array>

#include "ops/linear.h"

namespace lfm::model {
namespace {

// Goes on with the rows of the outputs alone: their rows of x (tokens, hidden) and of a mixer's result (tokens, width)
// move to the front. Every member moves columns of its own.
void keep_outputs(ops::Context& c, std::span<const Run> runs, std::size_t hidden, std::size_t width) {
  std::size_t kept = 0;
  const auto move_rows = [&](std::span<float> rows, std::size_t columns) {
    const base::Range part = c.worker.part(columns);
    std::size_t end = 0;  // of the run
    kept = 0;
    for (const Run& run : runs) {
      end += run.tokens.size();
      for (std::size_t from = end - run.outputs; from < end; ++from, ++kept) {
        const float* row = rows.data() + from * columns;
        if (from != kept) std::copy(row + part.begin, row + part.end, rows.data() + kept * columns + part.begin);
      }
    }
  };
  move_rows(c.workspace.x, hidden);
  move_rows(c.workspace.mixed, width);
  if (kept == c.tokens) return;
  c.worker.barrier();
  c.tokens = kept;
}

// Calls body(run, rows) for each run of the pass.
template <typename Body>
void for_each_run(std::span<const Run> runs, Body&& body) {
  std::size_t first = 0;
  for (const Run& run : runs) {
    body(run, ops::Rows{first, run.tokens.size()});
    first += run.tokens.size();
  }
}

void embed(const ops::Context& c, const Weights& weights, const Config& config, const Run& run, ops::Rows rows) {
  const base::Range mine = c.worker.part(rows.count);
  for (std::size_t t = mine.begin; t < mine.end; ++t) {
    float* x = c.workspace.x.data() + (rows.first + t) * config.hidden;
    ops::read_row(weights.embedding, static_cast<std::size_t>(run.tokens[t]), x);
  }
  ops::rotary_angles(c, config.rope_base, config.head_dim, rows, run.state->position());
}

void mix(const ops::Context& c, const ops::ShortConv& conv, const float* norm, float eps, std::span<const Run> runs,
         std::size_t layer) {
  std::array<ops::ConvRun, kMaxRuns> states;
  std::size_t count = 0;
  for_each_run(runs, [&](const Run& run, ops::Rows rows) {
    State& state = *run.state;
    const auto offset = static_cast<std::size_t>(state.conv(layer) - state.all_conv().data());
    states[count++] = {rows, state.position(), state.conv(layer), offset, run.checkpoints};
  });
  conv.mix(c, norm, eps, std::span(states).first(count));
}

void mix(const ops::Context& c, const ops::Attention& attention, const float* norm, float eps,
         std::span<const Run> runs, std::size_t layer) {
  std::array<ops::KvRun, kMaxRuns> caches;
  std::size_t count = 0;
  for_each_run(runs, [&](const Run& run, ops::Rows rows) {
    caches[count++] = {rows, run.state->position(), run.state->kv().layer(layer)};
  });
  attention.mix(c, norm, eps, std::span(caches).first(count));
}

bool all_want_an_end(std::span<const Run> runs) {
  return std::ranges::all_of(runs, [](const Run& run) {
    return run.stop != nullptr && run.stop->load(std::memory_order_relaxed);
  });
}

}  // namespace

bool forward(const ops::Context& all, const Weights& weights, const Config& config, std::span<const Run> runs,
             Stopped& stopped, const Taps& taps) {
  ops::Context c = all;
  const float eps = config.norm_eps;
  for_each_run(runs, [&](const Run& run, ops::Rows rows) { embed(c, weights, config, run, rows); });
  c.worker.barrier();
  c.done(ops::Phase::kEmbed);

  const bool outputs = std::ranges::any_of(runs, [](const Run& run) { return run.outputs != 0; });
  for (std::size_t i = 0; i < weights.layers.size(); ++i) {
    const Layer& layer = weights.layers[i];
    if (c.worker.index() == 0) stopped.seen[i % 2] = all_want_an_end(runs);
    for (std::size_t tap = 0; tap < taps.layers.size(); ++tap) {
      if (taps.layers[tap] == i) taps.take(c, tap);
    }
    std::visit([&](const auto& mixer) { mix(c, mixer, layer.operator_norm, eps, runs, i); }, layer.mixer);
    const bool last = i + 1 == weights.layers.size();  // what follows its mixer serves the outputs alone
    if (last && !outputs) break;
    std::visit(
        [&](const auto& mixer) {
          if (last) keep_outputs(c, runs, config.hidden, mixer.width());
          mixer.add_out(c);
        },
        layer.mixer);
    std::visit([&](const auto& ffn) { ffn.run(c, layer.ffn_norm, eps); }, layer.ffn);
    // Behind barriers of this layer, and before those of the next, so that all see the same.
    if (stopped.seen[i % 2]) return false;
  }
  return true;
}

void head(const ops::Context& all, const Weights& weights, const Config& config, std::size_t first,
          std::span<float* const> logits) {
  ops::Context c = all;
  c.tokens = logits.size();
  const std::size_t hidden = config.hidden;
  const ops::Activations& in = ops::prepare(c, hidden, weights.head.form(), [&](std::size_t t, float* scratch) {
    const float* x = c.workspace.x.data() + (first + t) * hidden;
    c.kernels.vector.rms_norm(x, weights.output_norm, hidden, config.norm_eps, scratch);
    return scratch;
  });
  ops::for_row_blocks(c, {weights.head.tiles()}, [&](std::size_t, base::Range tiles) {
    if (logits.size() == 1) return ops::linear(c, weights.head, {tiles}, in, logits[0], 0);
    const std::size_t column = tiles.begin * kernels::kTileRows;
    const std::size_t columns = (tiles.end - tiles.begin) * kernels::kTileRows;
    ops::Matrix part = weights.head;
    part.data += tiles.begin * part.tile_bytes();
    const std::span<float> block = c.mine().panel;  // (tokens, columns)
    ops::linear(c, part, {{0, tiles.end - tiles.begin}}, in, block.data(), columns);
    for (std::size_t t = 0; t < c.tokens; ++t) std::copy_n(&block[t * columns], columns, logits[t] + column);
  });
  c.worker.barrier();
  c.done(ops::Phase::kHead);
}

ops::Dimensions workspace_dimensions(const Config& config, unsigned threads, std::size_t max_tokens,
                                     std::size_t max_positions) {
  const std::size_t query_width = config.heads * config.head_dim;
  ops::Dimensions d;
  d.threads = threads;
  d.max_tokens = max_tokens;
  d.hidden = config.hidden;
  d.heads = config.heads;
  d.head_dim = config.head_dim;
  d.max_positions = max_positions;
  d.experts = config.experts;
  d.experts_used = config.experts_used;
  d.widest_input = std::max(config.hidden, query_width);
  d.widest_output = 3 * config.hidden + kernels::kTileRows;  // ShortConv::in_stride()
  for (const LayerConfig& layer : config.layers) {
    d.widest_output = std::max(d.widest_output, query_width + 2 * layer.kv_heads * config.head_dim);
    if (layer.moe) {
      d.expert_width = layer.ffn_width;
    } else {
      d.widest_input = std::max(d.widest_input, layer.ffn_width);
      d.widest_output = std::max(d.widest_output, 2 * layer.ffn_width);
    }
  }
  return d;
}

}  // namespace lfm::model
