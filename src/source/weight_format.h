// GGUF's tensor types as the kernels call them.
#pragma once

#include <optional>

#include "format/tensor_type.h"
#include "model/tensor_table.h"

namespace lfm::source {

// None for types that no kernel runs.
std::optional<model::WeightFormat> weight_format(format::TensorType type) noexcept;

}  // namespace lfm::source
