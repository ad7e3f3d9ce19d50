// Models whose weights become another type while they are read.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/load/model_parts.h"
#include "format/tensor_type.h"
#include "lfm/result.h"
#include "lfm/types.h"
#include "model/tensor_table.h"
#include "model/weights.h"

namespace lfm::engine {

bool stays_float(const model::Tensor& tensor) noexcept;  // norms, biases, taps and the router

format::TensorType source_type(const model::Tensor& tensor) noexcept;

// What a tensor becomes in a model of `type`.
format::TensorType target_type(const model::Tensor& tensor, WeightType type) noexcept;

// The types of a model whose matrices of floats become `type`; the others stay.
std::vector<format::TensorType> types_of_floats_as(const model::TensorTable& table, WeightType type);

// Rows of a tensor's matrix as floats, `count` x columns.   kFormat, kIo
Status read_floats(std::span<const base::File> files, const model::Tensor& tensor, std::uint64_t matrix,
                   std::uint64_t first, std::uint64_t count, std::vector<float>& out);

// The table as a file with those types would have it.
model::TensorTable table_with(const model::TensorTable& original, const model::Config& config,
                              const std::vector<format::TensorType>& types);

// Reads rows of a table made by table_with(), rounded to what is nearest; all of which must outlive it.
//   kFormat, kIo;   kNumeric  a weight that the type can't hold
model::RowReader rounding_reader(std::span<const base::File> files, const model::TensorTable& original,
                                 const model::TensorTable& rounded);

}  // namespace lfm::engine
