// A model's tensors from wherever they lie to a GGUF file of other types.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/atomic_file.h"
#include "engine/load/model_parts.h"
#include "engine/load/rounded.h"
#include "format/tensor_type.h"
#include "lfm/quantize.h"
#include "lfm/result.h"
#include "model/tensor_table.h"
#include "quantize/imatrix.h"

namespace lfm::quantize {

// Rows of one of a tensor's matrices; of experts there are several.
struct Rows {
  std::size_t tensor;  // of the table
  std::uint64_t matrix;
  std::uint64_t first;
  std::uint64_t count;
};

// As GGUF files call a tensor.
std::string gguf_name(const model::Tensor& tensor);

using engine::source_type;
using engine::target_type;

// As floats, `count` x columns.   kFormat, kIo
Status read_rows(const engine::ModelParts& parts, const Rows& rows, std::vector<float>& out);

std::uint64_t weight_bytes(const model::Tensor& tensor, format::TensorType type) noexcept;

bool is_layer_matrix(const model::Tensor& tensor) noexcept;  // and not of floats

class ModelWriter {
 public:
  // `types` has one for each tensor of the table, in its order. The parts must outlive it. `goes_on`: what was written
  // before is there still, for the caller to check or to clear(), and what is written now stays for others to go on
  // with.
  //   kUnsupported  rows that aren't whole blocks
  static Result<ModelWriter> create(const engine::ModelParts& parts, WeightType type,
                                    std::vector<format::TensorType> types, const std::string& out, bool goes_on);

  // Encodes rows that are given as floats, or writes bytes that are encoded already; from any number of threads.
  //   kNumeric  a weight that the type can't hold
  Status write(const Rows& rows, std::span<const float> values, const float* weights) const;
  Status write(const Rows& rows, std::span<const std::byte> bytes) const;

  // Likewise from the model's files, as bytes where the type stays. `importance` may be null.
  Status copy(const Rows& rows, const Imatrix* importance) const;

  // Of a tensor as it lies in the unfinished file, behind `before`.   kIo
  Result<std::uint64_t> checksum(std::size_t tensor, std::uint64_t before) const;
  Status sync() const { return file_.sync(); }
  Status clear() const;  // all that was written goes

  const model::Tensor& tensor(std::size_t number) const noexcept { return parts_->table.tensors[number]; }
  format::TensorType type(std::size_t tensor) const noexcept { return types_[tensor]; }
  bool keeps(std::size_t tensor) const noexcept;  // the type that the model has it in
  std::string name(std::size_t tensor) const;     // in the model's files
  QuantizeInfo info() const;
  Status commit(bool overwrite);

 private:
  ModelWriter(const engine::ModelParts& parts, base::AtomicFile file) : parts_(&parts), file_(std::move(file)) {}
  std::uint64_t row_bytes(std::size_t tensor) const noexcept;

  const engine::ModelParts* parts_;
  base::AtomicFile file_;
  std::vector<format::TensorType> types_;
  std::vector<std::uint64_t> offsets_;  // of each tensor in the file
  std::string header_;
  std::uint64_t file_bytes_ = 0;
};

}  // namespace lfm::quantize
