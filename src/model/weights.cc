#include "model/weights.h"

#include <algorithm>
#include <cstring>

#include "base/checked.h"
#include "base/try.h"
#include "kernels/matmul/pack.h"
#include "ops/linear.h"

namespace lfm::model {
namespace {

using kernels::kTileRows;

// Source bytes that one task reads: large enough for the disk, small enough to stay in a core's cache until packed.
constexpr std::uint64_t kTaskBytes = std::uint64_t{1} << 19;

bool is_matrix(const Tensor& tensor) {
  return tensor.row->kind != Kind::kVector && tensor.row->kind != Kind::kTaps;
}

// Of a tensor; its offset is still to come.
Piece piece_of(const Tensor& tensor, std::optional<ops::XnnLayout> xnn) {
  Piece piece{&tensor, kernels::FloatFormat::kF32, tensor.rows, tensor.columns, tensor.count()};
  if (!is_matrix(tensor)) {
    piece.bytes = tensor.elements() * sizeof(float);
    return piece;
  }
  std::visit([&](auto format) { piece.format = format; }, tensor.file.format.value());
  if (xnn && tensor.row->kind == Kind::kDense && tensor.file.format == WeightFormat(kernels::BlockFormat::kQ4_0))
    piece.format = *xnn;
  piece.bytes = piece.matrix(nullptr).bytes() * piece.count;
  return piece;
}

// Rows of one matrix of a piece; the first is a multiple of 16.
struct Task {
  const Piece* piece;
  std::uint64_t matrix;
  std::uint64_t first_row;
  std::uint64_t rows;

  std::uint64_t bytes() const noexcept { return rows * piece->tensor->row_bytes(); }  // in the source
};

std::vector<Task> cut_into_tasks(const PackPlan& plan) {
  std::vector<Task> tasks;
  for (const Piece& piece : plan.pieces) {
    if (!is_matrix(*piece.tensor)) {
      tasks.push_back({&piece, 0, 0, piece.rows});
      continue;
    }
    const std::uint64_t step =
        std::max<std::uint64_t>(1, kTaskBytes / (piece.tensor->row_bytes() * kTileRows)) * kTileRows;
    for (std::uint64_t matrix = 0; matrix < piece.count; ++matrix) {
      for (std::uint64_t row = 0; row < piece.rows; row += step) {
        tasks.push_back({&piece, matrix, row, std::min(step, piece.rows - row)});
      }
    }
  }
  return tasks;
}

// About a block or element, counted over all of a tensor's matrices.
Error not_finite(const Piece& piece, std::uint64_t matrix, std::uint64_t index) {
  const FileTensor& file = piece.tensor->file;
  const std::uint64_t per_matrix = piece.rows * (piece.columns / file.block_columns);
  return Error{ErrorCode::kFormat,
               file.block_columns > 1 ? "the scale of a block isn't a finite number" : "a weight isn't a finite number",
               std::string(file.name), matrix * per_matrix + index,
               piece.tensor->places[matrix].offset + index * file.block_bytes};
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
  const std::uint64_t row_bytes = piece.tensor->row_bytes();
  const std::uint64_t blocks_per_row = piece.columns / piece.tensor->file.block_columns;
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

// Norms, biases and taps, as exact float32. Taps, (channels, taps), turn to (channels / 16, taps, 16): tiles of floats.
std::ptrdiff_t pack_floats(const Piece& piece, const std::byte* source, std::byte* target) {
  const auto format = std::get<kernels::FloatFormat>(*piece.tensor->file.format);
  const std::uint64_t columns = piece.columns, row_bytes = piece.tensor->row_bytes();
  std::vector<std::byte> tile(kernels::tile_bytes(format, columns));
  std::vector<float> rows(kTileRows * columns);
  for (std::uint64_t first = 0; first < piece.rows; first += kTileRows) {
    const std::uint64_t count = std::min<std::uint64_t>(kTileRows, piece.rows - first);
    const std::ptrdiff_t bad = kernels::pack_tile(format, source + first * row_bytes, count, columns, tile.data());
    if (bad >= 0) return bad + static_cast<std::ptrdiff_t>(first * columns);
    for (std::uint64_t r = 0; r < count; ++r)
      kernels::unpack_row(format, tile.data(), r, columns, rows.data() + r * columns);
    std::byte* const out = target + first * columns * sizeof(float);
    if (piece.tensor->row->kind == Kind::kVector) {
      std::memcpy(out, rows.data(), count * columns * sizeof(float));
    } else {
      kernels::pack_tile(kernels::FloatFormat::kF32, reinterpret_cast<const std::byte*>(rows.data()), count, columns,
                         out);
    }
  }
  return -1;
}

Status run_task(const RowReader& read, const Task& task, std::vector<std::byte>& scratch, std::byte* packed) {
  const Piece& piece = *task.piece;
  scratch.resize(task.bytes());
  LFM_TRY(read(*piece.tensor, task.matrix, task.first_row, scratch));
  const std::ptrdiff_t bad = is_matrix(*piece.tensor) ? pack_matrix_rows(task, scratch.data(), packed)
                                                      : pack_floats(piece, scratch.data(), packed + piece.offset);
  if (bad < 0) return {};
  const std::uint64_t per_row = piece.columns / piece.tensor->file.block_columns;
  return not_finite(piece, task.matrix, task.first_row * per_row + static_cast<std::uint64_t>(bad));
}

// What a member is of; the layers' kinds are those of the configuration.
template <typename W, typename T, typename Class>
auto& owner(W& weights, std::size_t layer, T Class::*) {
  if constexpr (std::is_same_v<Class, Weights>) {
    return weights;
  } else if constexpr (std::is_same_v<Class, DraftEnds>) {
    return weights.draft;
  } else if constexpr (std::is_same_v<Class, Layer>) {
    return weights.layers[layer];
  } else if constexpr (std::is_same_v<Class, ops::ShortConv> || std::is_same_v<Class, ops::Attention>) {
    return std::get<Class>(weights.layers[layer].mixer);
  } else {
    return std::get<Class>(weights.layers[layer].ffn);
  }
}

void set(ops::Matrix& member, const Piece& piece, const std::byte* packed) {
  member = piece.matrix(packed);
}
void set(const float*& member, const Piece& piece, const std::byte* packed) {
  member = reinterpret_cast<const float*>(packed + piece.offset);
}

// The layers without weights.
std::vector<Layer> empty_layers(const Config& config) {
  std::vector<Layer> layers(config.layers.size());
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const LayerConfig& layer = config.layers[i];
    if (layer.attention()) {
      auto& attention = layers[i].mixer.emplace<ops::Attention>();
      attention.heads = config.heads;
      attention.kv_heads = layer.kv_heads;
      attention.head_dim = config.head_dim;
    } else {
      layers[i].mixer.emplace<ops::ShortConv>().l = config.conv_taps;
    }
    if (!layer.moe) continue;
    auto& experts = layers[i].ffn.emplace<ops::Experts>();
    experts.experts = config.experts;
    experts.used = config.experts_used;
  }
  return layers;
}

}  // namespace

PackPlan plan_weights(const TensorTable& table, std::optional<ops::XnnLayout> xnn) {
  PackPlan plan;
  for (const Tensor& tensor : table.tensors) {
    Piece piece = piece_of(tensor, xnn);
    piece.offset = plan.bytes;
    plan.bytes += base::round_up(piece.bytes, 64);
    plan.pieces.push_back(piece);
  }
  return plan;
}

Status pack_weights(const RowReader& read, const PackPlan& plan, base::Team& team, base::Work& work,
                    std::span<std::byte> packed) {
  const std::vector<Task> tasks = cut_into_tasks(plan);
  std::vector<std::vector<std::byte>> scratch(team.size());
  std::uint64_t largest = 0;
  for (const Task& task : tasks) largest = std::max(largest, task.bytes());
  for (auto& buffer : scratch) buffer.reserve(largest);
  return work.run(team, tasks.size(), [&](base::Worker& worker, std::size_t i) -> Status {
    LFM_TRY(run_task(read, tasks[i], scratch[worker.index()], packed.data()));
    work.add(tasks[i].bytes());
    return {};
  });
}

Status pack_weights(std::span<const base::File> files, const PackPlan& plan, base::Team& team, base::Work& work,
                    std::span<std::byte> packed) {
  const auto read = [&](const Tensor& tensor, std::uint64_t matrix, std::uint64_t first, std::span<std::byte> out) {
    const Place& place = tensor.places[matrix];
    return files[place.file].read_at(place.offset + first * tensor.row_bytes(), out);
  };
  LFM_TRY(pack_weights(read, plan, team, work, packed));
  for (const base::File& file : files) LFM_TRY(file.check_unchanged());
  return {};
}

Weights bind_weights(const PackPlan& plan, const Config& config, const std::byte* packed) {
  Weights weights;
  weights.layers = empty_layers(config);
  for (const Piece& piece : plan.pieces) {
    const auto bind = [&](auto member) { set(owner(weights, piece.tensor->layer, member).*member, piece, packed); };
    std::visit(bind, piece.tensor->row->member);
  }
  if (weights.head.data == nullptr) weights.head = weights.embedding;  // a draft's has maybe neither
  return weights;
}

void replace_tensor(Weights& weights, const Weights& other, const Tensor& tensor) {
  const auto replace = [&](auto member) {
    owner(weights, tensor.layer, member).*member = owner(other, tensor.layer, member).*member;
  };
  std::visit(replace, tensor.row->member);
}

Status prepare_weights(const Weights& weights, const Config& config, ops::XnnWorker& xnn,
                       std::span<const unsigned> teams, std::size_t max_tokens) {
  const std::size_t narrow = config.hidden + kTileRows;
  const auto prepare = [&](std::initializer_list<const ops::Matrix*> matrices, std::size_t stride) -> Status {
    for (const ops::Matrix* matrix : matrices) {
      if (auto status = ops::prepare_linear(xnn, *matrix, teams, stride, max_tokens); !status.ok()) return status;
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
