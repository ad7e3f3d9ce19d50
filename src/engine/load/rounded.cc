#include "engine/load/rounded.h"

#include <utility>
#include <variant>

#include "base/try.h"
#include "kernels/matmul/pack.h"
#include "quantize/blocks/encode.h"
#include "quantize/blocks/grid.h"

namespace lfm::engine {
namespace {

using format::TensorType;
using model::Kind;
using model::Tensor;

// The kernels' format of a type that models are written in.
model::WeightFormat format_of(TensorType type) noexcept {
  if (const auto blocks = kernels::block_format(static_cast<std::uint32_t>(type))) return *blocks;
  return type == TensorType::kF16    ? kernels::FloatFormat::kF16
         : type == TensorType::kBF16 ? kernels::FloatFormat::kBF16
                                     : kernels::FloatFormat::kF32;
}

}  // namespace

bool stays_float(const Tensor& tensor) noexcept {
  const Kind kind = tensor.row->kind;
  return kind == Kind::kVector || kind == Kind::kTaps || kind == Kind::kRouter;
}

TensorType source_type(const Tensor& tensor) noexcept {
  const std::uint32_t number = std::visit([](auto format) { return info(format).number; }, *tensor.file.format);
  return static_cast<TensorType>(number);
}

TensorType target_type(const Tensor& tensor, WeightType type) noexcept {
  if (stays_float(tensor)) return TensorType::kF32;
  const bool end = std::holds_alternative<ops::Matrix model::Weights::*>(tensor.row->member);
  const TensorType plain = quantize::tensor_type(type);
  const TensorType wanted = end && quantize::grid_of(plain) != nullptr ? TensorType::kQ6_K : plain;
  return tensor.columns % format::block_columns(wanted) == 0 ? wanted : TensorType::kQ8_0;
}

std::vector<TensorType> types_of_floats_as(const model::TensorTable& table, WeightType type) {
  std::vector<TensorType> types;
  for (const Tensor& tensor : table.tensors) {
    const TensorType source = source_type(tensor);
    types.push_back(stays_float(tensor) || format::block_columns(source) > 1 ? source : target_type(tensor, type));
  }
  return types;
}

Status read_floats(std::span<const base::File> files, const Tensor& tensor, std::uint64_t matrix, std::uint64_t first,
                   std::uint64_t count, std::vector<float>& out) {
  const std::uint64_t row_bytes = tensor.row_bytes();
  const model::Place& place = tensor.places[matrix];
  std::vector<std::byte> bytes(count * row_bytes);
  LFM_TRY(files[place.file].read_at(place.offset + first * row_bytes, bytes));
  out.resize(count * tensor.columns);
  const std::ptrdiff_t bad = quantize::decode(source_type(tensor), bytes.data(), count, tensor.columns, out.data());
  if (bad < 0) return {};
  return Error{ErrorCode::kFormat, "a weight isn't a finite number", std::string(tensor.file.name),
               first * tensor.columns / tensor.file.block_columns + static_cast<std::uint64_t>(bad)};
}

model::TensorTable table_with(const model::TensorTable& original, const model::Config& config,
                              const std::vector<TensorType>& types) {
  model::TensorTable table = original;
  for (std::size_t i = 0; i < types.size(); ++i) {
    Tensor& tensor = table.tensors[i];
    tensor.file.format = format_of(types[i]);
    tensor.file.block_columns = static_cast<std::uint32_t>(format::block_columns(types[i]));
    tensor.file.block_bytes = static_cast<std::uint32_t>(format::block_bytes(types[i]));
  }
  table.totals = model::totals_of(table.tensors, config);
  return table;
}

model::RowReader rounding_reader(std::span<const base::File> files, const model::TensorTable& original,
                                 const model::TensorTable& rounded) {
  return [files, &original, &rounded](const Tensor& tensor, std::uint64_t matrix, std::uint64_t first,
                                      std::span<std::byte> out) -> Status {
    const Tensor& source = original.tensors[static_cast<std::size_t>(&tensor - rounded.tensors.data())];
    const TensorType from = source_type(source), to = source_type(tensor);
    if (from == to) {
      const model::Place& place = source.places[matrix];
      return files[place.file].read_at(place.offset + first * source.row_bytes(), out);
    }
    std::vector<float> floats;
    LFM_TRY(read_floats(files, source, matrix, first, out.size() / tensor.row_bytes(), floats));
    if (quantize::encode(to, floats, nullptr, out.data()) < 0) return {};
    return Error{ErrorCode::kNumeric, "a weight that " + std::string(format::to_string(to)) + " can't hold",
                 std::string(tensor.file.name)};
  };
}

}  // namespace lfm::engine
