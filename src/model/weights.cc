#include "model/weights.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <mutex>

#include "base/checked.h"
#include "kernels/matmul/pack.h"
#include "ops/linear.h"

namespace lfm::model {
namespace {

using kernels::kTileRows;

// Source bytes that one task reads: large enough for the disk, small enough to stay in a core's cache until packed.
constexpr std::uint64_t kTaskBytes = std::uint64_t{1} << 19;

ops::Matrix::Format native_format(const format::TensorInfo& tensor) {
  if (const auto blocks = format::block_format(tensor.type)) return *blocks;
  return *format::float_format(tensor.type);  // match_tensors() lets no other type through
}

class Planner {
 public:
  explicit Planner(std::optional<ops::XnnLayout> xnn) : xnn_(xnn) {}

  void floats(Tensor tensor, Piece::Kind kind = Piece::Kind::kFloats) {
    if (tensor == nullptr) return;
    add({tensor, kind, kernels::FloatFormat::kF32, tensor->rows(), tensor->dims[0], 1, 0,
         tensor->elements() * sizeof(float)});
  }

  void matrix(Tensor tensor) {
    if (tensor == nullptr) return;
    Piece piece{
        tensor, Piece::Kind::kMatrix, native_format(*tensor), tensor->dims[1], tensor->dims[0], tensor->dims[2], 0, 0};
    piece.bytes = piece.matrix(nullptr).bytes() * piece.count;
    add(piece);
  }

  void dense_matrix(Tensor tensor) {
    if (tensor == nullptr) return;
    if (!xnn_ || tensor->type != format::TensorType::kQ4_0) return matrix(tensor);
    Piece piece{tensor, Piece::Kind::kMatrix, *xnn_, tensor->dims[1], tensor->dims[0], 1, 0, 0};
    piece.bytes = piece.matrix(nullptr).bytes();
    add(piece);
  }

  PackPlan take() { return std::move(plan_); }

 private:
  void add(Piece piece) {
    piece.offset = plan_.bytes;
    plan_.bytes += base::round_up(piece.bytes, 64);
    plan_.pieces.push_back(piece);
  }

  std::optional<ops::XnnLayout> xnn_;
  PackPlan plan_;
};

// Rows [first, first + count) of a piece, counted over all its matrices; first is a multiple of 16 within its matrix.
struct Task {
  const Piece* piece;
  std::uint64_t matrix;
  std::uint64_t first_row;
  std::uint64_t rows;
};

std::vector<Task> cut_into_tasks(const PackPlan& plan) {
  std::vector<Task> tasks;
  for (const Piece& piece : plan.pieces) {
    if (piece.kind != Piece::Kind::kMatrix) {
      tasks.push_back({&piece, 0, 0, piece.rows});
      continue;
    }
    const std::uint64_t row_bytes = piece.tensor->bytes / (piece.rows * piece.count);
    const std::uint64_t step = std::max<std::uint64_t>(1, kTaskBytes / (row_bytes * kTileRows)) * kTileRows;
    for (std::uint64_t matrix = 0; matrix < piece.count; ++matrix) {
      for (std::uint64_t row = 0; row < piece.rows; row += step) {
        tasks.push_back({&piece, matrix, row, std::min(step, piece.rows - row)});
      }
    }
  }
  return tasks;
}

std::uint64_t source_row_bytes(const Piece& piece) {
  return piece.tensor->bytes / (piece.rows * piece.count);
}

Error not_finite(const Piece& piece, std::uint64_t index) {
  const bool blocks = format::is_quantized(piece.tensor->type);
  return Error{
      ErrorCode::kFormat, blocks ? "the scale of a block isn't a finite number" : "a weight isn't a finite number",
      std::string(piece.tensor->name), index, piece.tensor->offset + index * format::block_bytes(piece.tensor->type)};
}

// Packs one task whose source rows lie in `source`. Returns the first bad block or element of the task, or -1.
std::ptrdiff_t pack_matrix_rows(const Task& task, const std::byte* source, std::byte* packed) {
  const Piece& piece = *task.piece;
  const ops::Matrix matrix = piece.matrix(packed);
  std::byte* target =
      packed + piece.offset + task.matrix * matrix.bytes() + task.first_row / kTileRows * matrix.tile_bytes();
  if (const auto* xnn = std::get_if<ops::XnnLayout>(&piece.format)) {
    return ops::xnn_pack_q4_0(*xnn, source, task.rows, piece.columns, target);
  }
  const std::uint64_t row_bytes = source_row_bytes(piece);
  const std::uint64_t blocks_per_row = piece.columns / format::block_columns(piece.tensor->type);
  for (std::uint64_t row = 0; row < task.rows; row += kTileRows) {
    const std::uint64_t rows = std::min<std::uint64_t>(kTileRows, task.rows - row);
    const std::ptrdiff_t bad = std::visit(
        [&](auto form) -> std::ptrdiff_t {
          if constexpr (std::is_same_v<decltype(form), ops::XnnLayout>)
            return -1;
          else
            return kernels::pack_tile(form, source + row * row_bytes, rows, piece.columns, target);
        },
        piece.format);
    if (bad >= 0) return bad + static_cast<std::ptrdiff_t>(row * blocks_per_row);
    target += matrix.tile_bytes();
  }
  return -1;
}

// Norms, biases and taps.
std::ptrdiff_t pack_floats(const Piece& piece, const float* source, float* target) {
  const std::uint64_t count = piece.rows * piece.columns;
  for (std::uint64_t i = 0; i < count; ++i) {
    if (!(std::abs(source[i]) <= std::numeric_limits<float>::max())) return static_cast<std::ptrdiff_t>(i);
  }
  if (piece.kind == Piece::Kind::kFloats) {
    std::copy_n(source, count, target);
    return -1;
  }
  const std::uint64_t taps = piece.columns;
  for (std::uint64_t channel = 0; channel < piece.rows; ++channel) {
    for (std::uint64_t tap = 0; tap < taps; ++tap) {
      target[(channel / kTileRows * taps + tap) * kTileRows + channel % kTileRows] = source[channel * taps + tap];
    }
  }
  return -1;
}

Status run_task(const base::File& file, const Task& task, std::vector<std::byte>& scratch, std::byte* packed) {
  const Piece& piece = *task.piece;
  const std::uint64_t row_bytes = source_row_bytes(piece);
  const std::uint64_t first_row = task.matrix * piece.rows + task.first_row;
  scratch.resize(task.rows * row_bytes);
  if (auto status = file.read_at(piece.tensor->offset + first_row * row_bytes, scratch); !status.ok()) return status;
  std::ptrdiff_t bad = -1;
  if (piece.kind == Piece::Kind::kMatrix) {
    bad = pack_matrix_rows(task, scratch.data(), packed);
  } else {
    bad = pack_floats(piece, reinterpret_cast<const float*>(scratch.data()),
                      reinterpret_cast<float*>(packed + piece.offset));
  }
  if (bad < 0) return {};
  const std::uint64_t per_row = piece.columns / format::block_columns(piece.tensor->type);
  return not_finite(piece, first_row * per_row + static_cast<std::uint64_t>(bad));
}

// Finds a tensor's piece; plan_weights() made one for every tensor of the table.
class Binder {
 public:
  Binder(const PackPlan& plan, const std::byte* packed) : packed_(packed) {
    for (const Piece& piece : plan.pieces) by_tensor_.emplace_back(piece.tensor, &piece);
    std::sort(by_tensor_.begin(), by_tensor_.end());
  }

  ops::Matrix matrix(Tensor tensor) const { return find(tensor).matrix(packed_); }
  const float* floats(Tensor tensor) const { return reinterpret_cast<const float*>(packed_ + find(tensor).offset); }

 private:
  const Piece& find(Tensor tensor) const {
    return *std::lower_bound(by_tensor_.begin(), by_tensor_.end(), std::pair<Tensor, const Piece*>(tensor, nullptr))
                ->second;
  }

  const std::byte* packed_;
  std::vector<std::pair<Tensor, const Piece*>> by_tensor_;
};

}  // namespace

PackPlan plan_weights(const TensorTable& table, std::optional<ops::XnnLayout> xnn) {
  Planner planner(xnn);
  planner.matrix(table.embedding);
  for (const LayerTensors& t : table.layers) {
    planner.floats(t.attn_norm);
    planner.dense_matrix(t.in_proj);
    planner.floats(t.conv, Piece::Kind::kTaps);
    planner.dense_matrix(t.out_proj);
    planner.dense_matrix(t.q);
    planner.dense_matrix(t.k);
    planner.dense_matrix(t.v);
    planner.floats(t.q_norm);
    planner.floats(t.k_norm);
    planner.dense_matrix(t.o);
    planner.floats(t.ffn_norm);
    planner.dense_matrix(t.gate);
    planner.dense_matrix(t.up);
    planner.dense_matrix(t.down);
    planner.matrix(t.router);
    planner.floats(t.router_bias);
    planner.matrix(t.gate_exps);
    planner.matrix(t.up_exps);
    planner.matrix(t.down_exps);
  }
  planner.floats(table.output_norm);
  planner.matrix(table.output);
  return planner.take();
}

Status pack_weights(const base::File& file, const PackPlan& plan, base::Team& team, std::span<std::byte> packed) {
  const std::vector<Task> tasks = cut_into_tasks(plan);
  std::vector<std::vector<std::byte>> scratch(team.size());
  std::uint64_t largest = 0;
  for (const Task& task : tasks) largest = std::max(largest, task.rows * source_row_bytes(*task.piece));
  for (auto& buffer : scratch) buffer.reserve(largest);

  std::atomic<bool> failed = false;
  std::mutex mutex;
  Status first_failure;
  team.run([&](base::Worker& worker) {
    worker.for_each_task(tasks.size(), [&](std::size_t i) {
      if (failed.load(std::memory_order_relaxed)) return;
      Status status = run_task(file, tasks[i], scratch[worker.index()], packed.data());
      if (status.ok()) return;
      const std::lock_guard lock(mutex);
      if (!failed.exchange(true)) first_failure = std::move(status);
    });
  });
  if (!first_failure.ok()) return first_failure;
  return file.check_unchanged();
}

Weights bind_weights(const PackPlan& plan, const TensorTable& table, const Config& config, const std::byte* packed) {
  const Binder bind(plan, packed);
  Weights weights;
  weights.embedding = bind.matrix(table.embedding);
  weights.head = bind.matrix(table.head());
  weights.output_norm = bind.floats(table.output_norm);
  for (std::size_t i = 0; i < config.layers.size(); ++i) {
    const LayerConfig& layer_config = config.layers[i];
    const LayerTensors& t = table.layers[i];
    Layer layer;
    layer.operator_norm = bind.floats(t.attn_norm);
    layer.ffn_norm = bind.floats(t.ffn_norm);
    if (layer_config.attention()) {
      layer.mixer = ops::Attention{bind.matrix(t.q), bind.matrix(t.k),      bind.matrix(t.v),
                                   bind.matrix(t.o), bind.floats(t.q_norm), bind.floats(t.k_norm),
                                   config.heads,     layer_config.kv_heads, config.head_dim};
    } else {
      layer.mixer =
          ops::ShortConv{bind.matrix(t.in_proj), bind.matrix(t.out_proj), bind.floats(t.conv), config.conv_taps};
    }
    if (layer_config.moe) {
      layer.ffn = ops::Experts{bind.matrix(t.router),  bind.floats(t.router_bias), bind.matrix(t.gate_exps),
                               bind.matrix(t.up_exps), bind.matrix(t.down_exps),   config.experts,
                               config.experts_used};
    } else {
      layer.ffn = ops::DenseFfn{bind.matrix(t.gate), bind.matrix(t.up), bind.matrix(t.down)};
    }
    weights.layers.push_back(std::move(layer));
  }
  return weights;
}

Status prepare_weights(const Weights& weights, const Config& config, ops::XnnWorker& xnn, unsigned threads,
                       std::size_t max_tokens) {
  const std::size_t narrow = config.hidden + kTileRows;
  const auto prepare = [&](std::initializer_list<const ops::Matrix*> matrices, std::size_t stride) -> Status {
    for (const ops::Matrix* matrix : matrices) {
      if (auto status = ops::prepare_linear(xnn, *matrix, threads, stride, max_tokens); !status.ok()) return status;
    }
    return {};
  };
  for (const Layer& layer : weights.layers) {
    Status status;
    if (const auto* conv = std::get_if<ops::ShortConv>(&layer.mixer)) {
      // in_proj runs in three parts, each cut like a matrix of `hidden` rows.
      ops::Matrix part = conv->in_proj;
      part.rows = config.hidden;
      status = prepare({&part}, conv->in_stride());
      if (status.ok()) status = prepare({&conv->out_proj}, narrow);
    } else if (const auto* attention = std::get_if<ops::Attention>(&layer.mixer)) {
      status = prepare({&attention->q, &attention->k, &attention->v},
                       (attention->heads + 2 * attention->kv_heads) * attention->head_dim);
      if (status.ok()) status = prepare({&attention->o}, narrow);
    }
    if (const auto* dense = std::get_if<ops::DenseFfn>(&layer.ffn); dense != nullptr && status.ok()) {
      status = prepare({&dense->gate, &dense->up}, 2 * dense->gate.rows);
      if (status.ok()) status = prepare({&dense->down}, narrow);
    }
    if (!status.ok()) return status;
  }
  return {};
}

}  // namespace lfm::model
