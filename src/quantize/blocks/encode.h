// Weights as floats, and as the bytes of a GGUF type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "format/tensor_type.h"
#include "lfm/result.h"
#include "lfm/types.h"

namespace lfm::quantize {

format::TensorType tensor_type(WeightType type) noexcept;
std::uint32_t file_type(WeightType type) noexcept;  // general.file_type

// Encodes whole blocks. `weights`, those of the columns' squared errors, may be null; the types in which nothing is
// chosen don't look at them. Returns the first value that the type can't hold, or -1.
std::ptrdiff_t encode(format::TensorType type, std::span<const float> values, const float* weights, std::byte* out);

// Decodes whole rows of `columns`. Returns the first block or element that isn't finite, or -1.
std::ptrdiff_t decode(format::TensorType type, const std::byte* bytes, std::size_t rows, std::size_t columns,
                      float* out);

}  // namespace lfm::quantize
