#include "quantize/model_writer.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/checksum.h"
#include "base/try.h"
#include "format/gguf_writer.h"
#include "quantize/blocks/encode.h"
#include "quantize/blocks/grid.h"

namespace lfm::quantize {
namespace {

using format::TensorType;
using model::Kind;
using model::Tensor;

constexpr std::uint32_t kQuantizationVersion = 2;
constexpr unsigned kReadable = 0644;

std::vector<std::uint64_t> gguf_dims(const Tensor& tensor) {
  std::vector<std::uint64_t> dims = {tensor.columns};
  if (tensor.row->kind != Kind::kVector) dims.push_back(tensor.rows);
  if (tensor.row->kind == Kind::kExperts) dims.push_back(tensor.count());
  return dims;
}

}  // namespace

std::string gguf_name(const Tensor& tensor) {
  return name_of(*tensor.row, model::Naming::kGguf, tensor.layer, 0);
}

std::uint64_t weight_bytes(const Tensor& tensor, TensorType type) noexcept {
  return tensor.elements() / format::block_columns(type) * format::block_bytes(type);
}

bool is_layer_matrix(const Tensor& tensor) noexcept {
  return tensor.row->kind != Kind::kMatrix && !engine::stays_float(tensor);
}

Status read_rows(const engine::ModelParts& parts, const Rows& rows, std::vector<float>& out) {
  return engine::read_floats(parts.model.source->files, parts.table.tensors[rows.tensor], rows.matrix, rows.first,
                             rows.count, out);
}

Result<ModelWriter> ModelWriter::create(const engine::ModelParts& parts, WeightType type, std::vector<TensorType> types,
                                        const std::string& out, bool goes_on) {
  const std::vector<Tensor>& tensors = parts.table.tensors;
  format::GgufWriter keys;
  parts.model.source->write_keys(keys);
  keys.set_u32("general.file_type", file_type(type));
  keys.set_u32("general.quantization_version", kQuantizationVersion);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].columns % format::block_columns(types[i]) != 0) {
      return Error{ErrorCode::kUnsupported,
                   "rows of " + std::to_string(tensors[i].columns) + " aren't whole blocks of " + to_string(types[i]),
                   std::string(tensors[i].file.name)};
    }
    keys.add_tensor(gguf_name(tensors[i]), types[i], gguf_dims(tensors[i]));
  }
  const format::GgufWriter::Layout layout = keys.layout();
  LFM_ASSIGN(base::AtomicFile file, base::AtomicFile::create(out, layout.file_bytes,
                                                             goes_on ? base::AtomicFile::Leftover::kStays
                                                                     : base::AtomicFile::Leftover::kGoes));
  LFM_TRY(file.write_at(0, std::as_bytes(std::span(layout.header))));
  ModelWriter writer(parts, std::move(file));
  writer.types_ = std::move(types);
  writer.offsets_ = layout.offsets;
  writer.header_ = layout.header;
  writer.file_bytes_ = layout.file_bytes;
  return writer;
}

std::uint64_t ModelWriter::row_bytes(std::size_t tensor) const noexcept {
  const std::uint64_t columns = parts_->table.tensors[tensor].columns;
  return columns / format::block_columns(types_[tensor]) * format::block_bytes(types_[tensor]);
}

Status ModelWriter::write(const Rows& rows, std::span<const std::byte> bytes) const {
  const Tensor& tensor = parts_->table.tensors[rows.tensor];
  return file_.write_at(offsets_[rows.tensor] + (rows.matrix * tensor.rows + rows.first) * row_bytes(rows.tensor),
                        bytes);
}

Status ModelWriter::write(const Rows& rows, std::span<const float> values, const float* weights) const {
  const Tensor& tensor = parts_->table.tensors[rows.tensor];
  const std::uint64_t row = row_bytes(rows.tensor);
  std::vector<std::byte> bytes(rows.count * row);
  for (std::uint64_t i = 0; i < rows.count; ++i) {
    const std::ptrdiff_t bad = encode(types_[rows.tensor], values.subspan(i * tensor.columns, tensor.columns), weights,
                                      bytes.data() + i * row);
    if (bad >= 0) {
      return Error{ErrorCode::kNumeric, std::string("a weight that ") + to_string(types_[rows.tensor]) + " can't hold",
                   std::string(tensor.file.name),
                   ((rows.matrix * tensor.rows) + rows.first + i) * tensor.columns + static_cast<std::uint64_t>(bad)};
    }
  }
  return write(rows, bytes);
}

Status ModelWriter::copy(const Rows& rows, const Imatrix* importance) const {
  const Tensor& tensor = parts_->table.tensors[rows.tensor];
  if (!keeps(rows.tensor)) {
    std::vector<float> floats;
    LFM_TRY(read_rows(*parts_, rows, floats));
    std::vector<float> weights;
    if (importance != nullptr) weights = importance->find(gguf_name(tensor), rows.matrix, tensor.columns);
    return write(rows, floats, weights.empty() ? nullptr : weights.data());
  }
  const model::Place& place = tensor.places[rows.matrix];
  std::vector<std::byte> bytes(rows.count * tensor.row_bytes());
  LFM_TRY(parts_->model.source->files[place.file].read_at(place.offset + rows.first * tensor.row_bytes(), bytes));
  return write(rows, bytes);
}

Result<std::uint64_t> ModelWriter::checksum(std::size_t tensor, std::uint64_t before) const {
  constexpr std::uint64_t kPiece = std::uint64_t{4} << 20;
  const Tensor& of = parts_->table.tensors[tensor];
  std::uint64_t at = offsets_[tensor], rest = weight_bytes(of, types_[tensor]), sum = before;
  std::vector<std::byte> bytes;
  while (rest > 0) {
    bytes.resize(std::min(rest, kPiece));
    LFM_TRY(file_.read_at(at, bytes));
    sum = base::checksum(bytes, sum);
    at += bytes.size();
    rest -= bytes.size();
  }
  return sum;
}

Status ModelWriter::clear() const {
  LFM_TRY(file_.clear(file_bytes_));
  return file_.write_at(0, std::as_bytes(std::span(header_)));
}

bool ModelWriter::keeps(std::size_t tensor) const noexcept {
  return source_type(parts_->table.tensors[tensor]) == types_[tensor];
}

std::string ModelWriter::name(std::size_t tensor) const {
  return std::string(parts_->table.tensors[tensor].file.name);
}

QuantizeInfo ModelWriter::info() const {
  QuantizeInfo info{base::printable(parts_->config.name), file_bytes_, parts_->table.totals.parameters};
  for (std::size_t i = 0; i < types_.size(); ++i)
    info.weight_bytes += quantize::weight_bytes(parts_->table.tensors[i], types_[i]);
  return info;
}

Status ModelWriter::commit(bool overwrite) {
  using Existing = base::AtomicFile::Existing;
  for (const base::File& file : parts_->model.source->files) LFM_TRY(file.check_unchanged());
  return file_.commit(kReadable, overwrite ? Existing::kReplace : Existing::kKeep);
}

}  // namespace lfm::quantize
