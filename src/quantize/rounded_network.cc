#include "quantize/rounded_network.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/try.h"
#include "base/work.h"
#include "format/tensor_type.h"
#include "kernels/matmul/pack.h"
#include "quantize/encode.h"
#include "quantize/model_writer.h"

namespace lfm::quantize {
namespace {

// The kernels' format of a type that models are written in.
model::WeightFormat format_of(format::TensorType type) noexcept {
  if (const auto blocks = kernels::block_format(static_cast<std::uint32_t>(type))) return *blocks;
  return type == format::TensorType::kF16    ? kernels::FloatFormat::kF16
         : type == format::TensorType::kBF16 ? kernels::FloatFormat::kBF16
                                             : kernels::FloatFormat::kF32;
}

// The table as a file of `type` would have it.
model::TensorTable rounded_table(const model::TensorTable& original, WeightType type) {
  model::TensorTable table = original;
  table.totals.bytes = 0;
  for (model::Tensor& tensor : table.tensors) {
    const format::TensorType target = target_type(tensor, type);
    tensor.file.format = format_of(target);
    tensor.file.block_columns = static_cast<std::uint32_t>(format::block_columns(target));
    tensor.file.block_bytes = static_cast<std::uint32_t>(format::block_bytes(target));
    table.totals.bytes += tensor.bytes();
  }
  return table;
}

}  // namespace

Result<RoundedNetwork> RoundedNetwork::create(const engine::ModelParts& parts, WeightType type,
                                              const std::string& folder, base::Team& team,
                                              const std::function<bool(double part)>& progress) {
  const model::TensorTable table = rounded_table(parts.table, type);
  const model::PackPlan plan = model::plan_weights(table, std::nullopt);
  RoundedNetwork network;
  LFM_ASSIGN(network.packed_, base::Memory::in_file(folder, plan.bytes));
  const auto told = [&](std::uint64_t done, std::uint64_t all) {
    return progress(static_cast<double>(done) / static_cast<double>(all));
  };
  base::Work work(table.totals.bytes, told, {});
  const auto read = [&](const model::Tensor& tensor, std::uint64_t matrix, std::uint64_t first,
                        std::span<std::byte> out) -> Status {
    const auto number = static_cast<std::size_t>(&tensor - table.tensors.data());
    std::vector<float> floats;
    LFM_TRY(read_rows(parts, {number, matrix, first, out.size() / tensor.row_bytes()}, floats));
    if (encode(target_type(tensor, type), floats, nullptr, out.data()) < 0) return {};
    return Error{ErrorCode::kNumeric, "a weight that the type can't hold", std::string(tensor.file.name)};
  };
  LFM_TRY(model::pack_weights(read, plan, team, work, {network.packed_.data(), network.packed_.size()}));
  network.weights_ = model::bind_weights(plan, parts.config, network.packed_.data());
  return network;
}

}  // namespace lfm::quantize
