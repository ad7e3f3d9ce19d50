#include "quantize/rounded_network.h"

#include <utility>
#include <vector>

#include "base/try.h"
#include "base/work.h"
#include "engine/load/rounded.h"
#include "format/tensor_type.h"

namespace lfm::quantize {

Result<RoundedNetwork> RoundedNetwork::create(const engine::ModelParts& parts, WeightType type,
                                              const std::string& folder, base::Team& team,
                                              const std::function<bool(double part)>& progress) {
  std::vector<format::TensorType> types;
  for (const model::Tensor& tensor : parts.table.tensors) types.push_back(engine::target_type(tensor, type));
  const model::TensorTable table = engine::table_with(parts.table, parts.config, types);
  const model::PackPlan plan = model::plan_weights(table, std::nullopt);
  RoundedNetwork network;
  LFM_ASSIGN(network.packed_, base::Memory::in_file(folder, plan.bytes));
  const auto told = [&](std::uint64_t done, std::uint64_t all) {
    return progress(static_cast<double>(done) / static_cast<double>(all));
  };
  base::Work work(table.totals.bytes, told, {});
  const model::RowReader read = engine::rounding_reader(parts.model.source->files, parts.table, table);
  LFM_TRY(model::pack_weights(read, plan, team, work, {network.packed_.data(), network.packed_.size()}));
  network.weights_ = model::bind_weights(plan, parts.config, network.packed_.data());
  return network;
}

}  // namespace lfm::quantize
