#include "model/forward.h"

#include <algorithm>

#include "kernels/matmul/pack.h"
#include "ops/linear.h"

namespace lfm::model {
namespace {

// Row `id` of the embedding as floats, whatever its format.
void embed(const ops::Matrix& embedding, std::size_t id, float* out) {
  const std::byte* tile = embedding.data + id / kernels::kTileRows * embedding.tile_bytes();
  const std::size_t row = id % kernels::kTileRows;
  if (const auto* blocks = std::get_if<kernels::BlockFormat>(&embedding.format)) {
    kernels::unpack_row(*blocks, tile, row, embedding.columns, out);
  } else if (const auto* floats = std::get_if<kernels::FloatFormat>(&embedding.format)) {
    kernels::unpack_row(*floats, tile, row, embedding.columns, out);
  }
}

// Goes on with the last `count` tokens alone: their rows of x (tokens, hidden) and of a mixer's result (tokens, width)
// move to the front. Every member moves columns of its own.
void keep_last(ops::Context& c, std::size_t count, std::size_t hidden, std::size_t width) {
  const std::size_t first = c.tokens - count;
  if (first == 0) return;
  const auto move_rows = [&](std::span<float> rows, std::size_t columns) {
    const base::Range part = c.worker.part(columns);
    for (std::size_t t = 0; t < count; ++t) {
      const float* row = rows.data() + (first + t) * columns;
      std::copy(row + part.begin, row + part.end, rows.data() + t * columns + part.begin);
    }
  };
  move_rows(c.workspace.x, hidden);
  move_rows(c.workspace.mixed, width);
  c.worker.barrier();
  c.tokens = count;
}

}  // namespace

bool forward(const ops::Context& all, const Weights& weights, const Config& config, State& state,
             std::span<const std::int32_t> tokens, std::size_t outputs, std::span<const ops::StateCopy> checkpoints,
             Stop* stop) {
  ops::Context c = all;
  const std::size_t position = state.position();
  const base::Range mine = c.worker.part(tokens.size());
  for (std::size_t t = mine.begin; t < mine.end; ++t) {
    embed(weights.embedding, static_cast<std::size_t>(tokens[t]), c.workspace.x.data() + t * config.hidden);
  }
  ops::rotary_angles(c, config.rope_base, position);
  c.worker.barrier();
  c.done(ops::Phase::kEmbed);

  for (std::size_t i = 0; i < weights.layers.size(); ++i) {
    const Layer& layer = weights.layers[i];
    if (stop != nullptr && c.worker.index() == 0) stop->seen[i % 2] = stop->wanted.load(std::memory_order_relaxed);
    if (const auto* conv = std::get_if<ops::ShortConv>(&layer.mixer)) {
      ops::StateCopy copies[kMaxCheckpoints];
      const std::size_t offset = static_cast<std::size_t>(state.conv(i) - state.all_conv().data());
      for (std::size_t j = 0; j < checkpoints.size(); ++j)
        copies[j] = {checkpoints[j].tokens, checkpoints[j].state + offset};
      conv->mix(c, layer.operator_norm, config.norm_eps, state.conv(i), {copies, checkpoints.size()});
    } else if (const auto* attention = std::get_if<ops::Attention>(&layer.mixer)) {
      attention->mix(c, layer.operator_norm, config.norm_eps, position, state.kv(i));
    }
    const bool last = i + 1 == weights.layers.size();  // what follows its mixer serves the outputs alone
    if (last && outputs == 0) break;
    std::visit(
        [&](const auto& mixer) {
          if (last) keep_last(c, outputs, config.hidden, mixer.width());
          mixer.add_out(c);
        },
        layer.mixer);
    std::visit([&](const auto& ffn) { ffn.run(c, layer.ffn_norm, config.norm_eps); }, layer.ffn);
    // Behind barriers of this layer, and before those of the next, so that all see the same.
    if (stop != nullptr && stop->seen[i % 2]) return false;
  }
  return true;
}

void head(const ops::Context& all, const Weights& weights, const Config& config, std::size_t first, std::size_t count,
          float* logits, std::size_t stride) {
  ops::Context c = all;
  c.tokens = count;
  const std::size_t hidden = config.hidden;
  const ops::Activations& in = ops::prepare(c, hidden, weights.head.form(), [&](std::size_t t, float* scratch) {
    const float* x = c.workspace.x.data() + (first + t) * hidden;
    c.kernels.vector.rms_norm(x, weights.output_norm, hidden, config.norm_eps, scratch);
    return scratch;
  });
  ops::for_row_blocks(c, {weights.head.tiles()}, [&](std::size_t, base::Range tiles) {
    ops::linear(c, weights.head, {tiles}, in, logits, stride);
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
