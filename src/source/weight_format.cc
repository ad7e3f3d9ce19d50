#include "source/weight_format.h"

namespace lfm::source {

std::optional<model::WeightFormat> weight_format(format::TensorType type) noexcept {
  const auto number = static_cast<std::uint32_t>(type);
  if (const auto blocks = kernels::block_format(number)) return *blocks;
  if (const auto floats = kernels::float_format(number)) return *floats;
  return std::nullopt;
}

}  // namespace lfm::source
