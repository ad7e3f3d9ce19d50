#include "source/weight_format.h"

namespace lfm::source {

std::optional<model::WeightFormat> weight_format(format::TensorType type) noexcept {
  using kernels::BlockFormat;
  using kernels::FloatFormat;
  switch (type) {
    case format::TensorType::kF32:
      return FloatFormat::kF32;
    case format::TensorType::kF16:
      return FloatFormat::kF16;
    case format::TensorType::kBF16:
      return FloatFormat::kBF16;
    case format::TensorType::kQ4_0:
      return BlockFormat::kQ4_0;
    case format::TensorType::kQ4_1:
      return BlockFormat::kQ4_1;
    case format::TensorType::kQ5_0:
      return BlockFormat::kQ5_0;
    case format::TensorType::kQ5_1:
      return BlockFormat::kQ5_1;
    case format::TensorType::kQ8_0:
      return BlockFormat::kQ8_0;
    case format::TensorType::kQ4_K:
      return BlockFormat::kQ4_K;
    case format::TensorType::kQ5_K:
      return BlockFormat::kQ5_K;
    case format::TensorType::kQ6_K:
      return BlockFormat::kQ6_K;
    default:
      return std::nullopt;
  }
}

}  // namespace lfm::source
