// The weights of a network, packed for the kernels: which bytes lie where, how they get there, and the network over
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "base/file.h"
#include "base/memory.h"
#include "base/work.h"
#include "lfm/result.h"
#include "model/config.h"
#include "model/network.h"
#include "model/tensor_table.h"

namespace lfm::model {

// One tensor's place in the packed bytes.
struct Piece {
  const Tensor* tensor = nullptr;
  ops::Matrix::Format format;  // tiles of it; of experts one matrix after another. Vectors and taps are float32
  std::uint64_t rows = 0;      // of one matrix
  std::uint64_t columns = 0;
  std::uint64_t count = 1;   // matrices
  std::uint64_t offset = 0;  // from the start of the packed bytes, a multiple of 64
  std::uint64_t bytes = 0;

  ops::Matrix matrix(const std::byte* base) const noexcept { return {rows, columns, format, base + offset}; }
};

// The number of plan_weights' arrangement in packed files. Another order or form of pieces takes another number.
inline constexpr std::uint32_t kPlanLayout = 1;

// The order is the order of use, so that a decode step reads the bytes forward.
struct PackPlan {
  std::vector<Piece> pieces;
  std::uint64_t bytes = 0;
};

// Where every tensor of the table, which must outlive the plan, goes. Dense Q4_0 matrices are packed for XNNPACK where
// `xnn` says how.
PackPlan plan_weights(const TensorTable& table, std::optional<ops::XnnLayout> xnn);

// Reads rows of one matrix of a tensor, from row `first` on: whole ones in the tensor's type, as many as fill `out`.
using RowReader =
    std::function<Status(const Tensor& tensor, std::uint64_t matrix, std::uint64_t first, std::span<std::byte> out)>;

// Reads and packs all tensors into `packed` (plan.bytes, zeroed, aligned to 64) with every member of the team; `work`
// counts bytes read, TensorTotals::bytes in all.
//   kFormat  a scale or weight isn't finite (field: the tensor, index: the block or element);   kCancelled
//   and what `read` says, which is called from all members
Status pack_weights(const RowReader& read, const PackPlan& plan, base::Team& team, base::Work& work,
                    std::span<std::byte> packed);
// Likewise from the tensors' places in files.   kIo
Status pack_weights(std::span<const base::File> files, const PackPlan& plan, base::Team& team, base::Work& work,
                    std::span<std::byte> packed);

// The network over packed bytes, which must outlive it.
Weights bind_weights(const PackPlan& plan, const Config& config, const std::byte* packed);

// Puts another network's tensor of the same row and layer in the place of this one's.
void replace_tensor(Weights& weights, const Weights& other, const Tensor& tensor);

// Makes one member's XNNPACK ready for all of the network's products, in teams of these sizes and chunks of max_tokens.
Status prepare_weights(const Weights& weights, const Config& config, ops::XnnWorker& xnn,
                       std::span<const unsigned> teams, std::size_t max_tokens);

}  // namespace lfm::model
