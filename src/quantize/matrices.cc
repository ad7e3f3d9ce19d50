#include "quantize/matrices.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string>
#include <utility>

#include "base/try.h"
#include "quantize/blocks/encode.h"
#include "quantize/blocks/grid.h"

namespace lfm::quantize {
namespace {

constexpr std::size_t kRowsAtOnce = 128;
constexpr std::size_t kLookedAt = 16;  // rows by which one sees that a matrix isn't on the grid
constexpr double kResidual = 0x1p-16;  // squared, of a block that is
constexpr double kBlocksOnGrid = 0.99;

Error not_held(const ModelWriter& writer, const Matrix& matrix) {
  return Error{ErrorCode::kNumeric,
               std::string("a weight that ") + to_string(writer.type(matrix.tensor)) + " can't hold",
               writer.name(matrix.tensor)};
}

// Rounds rows by themselves: `rounded` gets what the bytes hold.
bool round_rows(format::TensorType type, std::span<const float> rows, std::size_t columns, std::span<float> rounded,
                std::vector<std::byte>& bytes) {
  bytes.resize(rows.size() / format::block_columns(type) * format::block_bytes(type));
  return encode(type, rows, nullptr, bytes.data()) < 0 &&
         decode(type, bytes.data(), rows.size() / columns, columns, rounded.data()) < 0;
}

bool is_on_grid(format::TensorType type, const Matrix& matrix, std::size_t rows) {
  const std::span<const float> floats = std::span(matrix.original).first(rows * matrix.columns);
  std::vector<float> rounded(floats.size());
  std::vector<std::byte> bytes;
  if (!round_rows(type, floats, matrix.columns, rounded, bytes)) return false;
  const std::size_t block = format::block_columns(type);
  std::size_t on_grid = 0;
  for (std::size_t i = 0; i < floats.size(); i += block) {
    double error = 0, all = 0;
    for (std::size_t j = i; j < i + block; ++j) {
      const auto x = static_cast<double>(floats[j]), difference = static_cast<double>(rounded[j]) - x;
      error += difference * difference;
      all += x * x;
    }
    if (error <= kResidual * all) ++on_grid;
  }
  return static_cast<double>(on_grid) >= kBlocksOnGrid * static_cast<double>(floats.size() / block);
}

Status quantise_rows(const ModelWriter& writer, const Guide& guide, Matrix& matrix, std::size_t first, bool alone) {
  const std::size_t count = std::min(kRowsAtOnce, matrix.rows - first), columns = matrix.columns;
  const format::TensorType type = writer.type(matrix.tensor);
  const std::span<const float> original = std::span(matrix.original).subspan(first * columns, count * columns);
  const auto* const feedback = std::get_if<Feedback>(&guide);
  if (feedback == nullptr) {
    const Rows rows{matrix.tensor, matrix.number, first, count};
    if (writer.keeps(matrix.tensor)) return writer.copy(rows, nullptr);
    return writer.write(rows, original, std::get<std::vector<float>>(guide).data());
  }
  const std::span<float> quantised = std::span(matrix.quantised).subspan(first * columns, count * columns);
  if (writer.keeps(matrix.tensor)) {
    std::copy(original.begin(), original.end(), quantised.begin());
    return writer.copy({matrix.tensor, matrix.number, first, count}, nullptr);
  }
  std::vector<std::byte> bytes(count * columns / format::block_columns(type) * format::block_bytes(type));
  if (alone) {
    if (!round_rows(type, original, columns, quantised, bytes)) return not_held(writer, matrix);
  } else {
    std::copy(original.begin(), original.end(), quantised.begin());
    if (!feedback->quantize(type, quantised.data(), count, bytes.data())) return not_held(writer, matrix);
  }
  return writer.write({matrix.tensor, matrix.number, first, count}, bytes);
}

bool stands_alone(const ModelWriter& writer, const Matrix& matrix) {
  const format::TensorType type = writer.type(matrix.tensor);
  return grid_of(type) == nullptr ||
         (is_on_grid(type, matrix, std::min(kLookedAt, matrix.rows)) && is_on_grid(type, matrix, matrix.rows));
}

// Whether feedback has nothing to say of it.
bool make_ready(const ModelWriter& writer, const Guide& guide, Matrix& matrix) {
  if (!std::holds_alternative<Feedback>(guide)) return false;
  matrix.quantised.resize(matrix.original.size());
  return stands_alone(writer, matrix);
}

}  // namespace

std::size_t tensor_of(const engine::ModelParts& parts, std::size_t layer, std::string_view name) {
  const auto& tensors = parts.table.tensors;
  const auto at = std::ranges::find_if(tensors, [&](const model::Tensor& tensor) {
    const bool in_layer = !std::holds_alternative<ops::Matrix model::Weights::*>(tensor.row->member) &&
                          !std::holds_alternative<const float * model::Weights::*>(tensor.row->member);
    return in_layer && tensor.layer == layer && tensor.row->gguf == name;
  });
  return static_cast<std::size_t>(at - tensors.begin());
}

Result<std::vector<float>> read_vector(const engine::ModelParts& parts, std::size_t layer, std::string_view name) {
  const std::size_t tensor = tensor_of(parts, layer, name);
  std::vector<float> values;
  LFM_TRY(read_rows(parts, {tensor, 0, 0, parts.table.tensors[tensor].rows}, values));
  return values;
}

Result<Matrix> read_matrix(const engine::ModelParts& parts, std::size_t tensor, std::size_t number) {
  const model::Tensor& found = parts.table.tensors[tensor];
  Matrix matrix{tensor, number, found.rows, found.columns, {}, {}};
  LFM_TRY(read_rows(parts, {tensor, number, 0, found.rows}, matrix.original));
  return matrix;
}

Status for_each(lfm::base::Team& team, std::size_t n, const std::function<Status(std::size_t)>& task) {
  std::atomic<bool> failed = false;
  std::mutex mutex;
  Status failure;
  team.run([&](lfm::base::Worker& worker) {
    worker.for_each_task(n, [&](std::size_t i) {
      if (failed.load(std::memory_order_relaxed)) return;
      Status status = task(i);
      if (status.ok()) return;
      const std::lock_guard lock(mutex);
      if (!failed.exchange(true)) failure = std::move(status);
    });
  });
  return failure;
}

Status quantise(const ModelWriter& writer, const Guide& guide, Matrix& matrix) {
  const bool alone = make_ready(writer, guide, matrix);
  for (std::size_t row = 0; row < matrix.rows; row += kRowsAtOnce)
    LFM_TRY(quantise_rows(writer, guide, matrix, row, alone));
  return {};
}

Status quantise(const ModelWriter& writer, const Guide& guide, Matrix& matrix, lfm::base::Team& team) {
  const bool alone = make_ready(writer, guide, matrix);
  return for_each(team, (matrix.rows + kRowsAtOnce - 1) / kRowsAtOnce,
                  [&](std::size_t i) { return quantise_rows(writer, guide, matrix, i * kRowsAtOnce, alone); });
}

}  // namespace lfm::quantize
