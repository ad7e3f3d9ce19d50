// The closed table of tensors: which ones a network of a given configuration has, with their names in files, shapes and
// types, and where they go. A model's files must hold exactly these.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "kernels/matmul/layout.h"
#include "lfm/result.h"
#include "model/config.h"
#include "model/network.h"

namespace lfm::model {

// How weights lie in files: the formats that the kernels' packers take.
using WeightFormat = std::variant<kernels::BlockFormat, kernels::FloatFormat>;

// Whose names and ways a model's files have.
//   kGguf         "blk.2.ffn_gate_exps.weight": the experts of a layer lie in one tensor
//   kHuggingFace  "model.layers.2.feed_forward.experts.7.w1.weight": each expert has tensors of its own
enum class Naming : std::uint8_t { kGguf, kHuggingFace };

// A byte in one of a model's files.
struct Place {
  std::uint32_t file = 0;
  std::uint64_t offset = 0;
};

// A tensor as a file lists it, whether the network has it or not. Its bytes lie in rows of whole blocks, one after
// another.
struct FileTensor {
  std::string_view name;                // must outlive what is made of it
  std::string_view type;                // for people, such as "Q4_0"; static
  std::optional<WeightFormat> format;   // none: no kernel runs it
  std::array<std::uint64_t, 4> dims{};  // `rank` of them, rows (outputs) before columns (inputs)
  std::uint32_t rank = 0;
  std::uint64_t bytes = 0;
  Place place;
  std::uint32_t block_columns = 1;  // elements that are stored together
  std::uint32_t block_bytes = 0;    // bytes of them

  std::uint64_t elements() const noexcept;
};

// Where a tensor's weights go. The class says which layers have it.
using Member =
    std::variant<ops::Matrix Weights::*, const float * Weights::*, ops::Matrix DraftEnds::*, const float * DraftEnds::*,
                 const float * Layer::*, ops::Matrix ops::ShortConv::*, const float * ops::ShortConv::*,
                 ops::Matrix ops::Attention::*, const float * ops::Attention::*, ops::Matrix ops::DenseFfn::*,
                 ops::Matrix ops::Experts::*, const float * ops::Experts::*>;

// What a tensor is used for, and with that which types it may have.
enum class Kind : std::uint8_t {
  kVector,   // norms and biases, in a float type
  kTaps,     // of the convolution, in a float type
  kRouter,   // a matrix in a float type: quantising it would change which experts are chosen
  kDense,    // a matrix of any type that the kernels run; in 4 bits, XNNPACK may run it too
  kMatrix,   // the same, but for XNNPACK
  kExperts,  // one such matrix for each expert
};

// Lengths of dimensions, by the configuration and the layer: vocab, hidden, 3 * hidden (B, C and x), heads * head_dim,
// kv_heads * head_dim, head_dim, conv_taps, ffn_width, experts; of drafts taps * hidden, markov_rank, both that and
// hidden, one.
enum class Size : std::uint8_t { kNone, V, H, H3, A, K, D, L, F, E, TH, R, HR, One };

// A row of the table.
struct TensorRow {
  Member member;
  const char* gguf;          // in a layer behind "blk.N."
  const char* hugging_face;  // in a layer behind "model.layers.N."; '*' stands for the number of an expert
  Kind kind;
  std::array<Size, 2> shape;  // rows, columns; of a vector its length; of experts that of one
  bool optional = false;
};

// The rows outside of layers, and of layers; both in the order of use. Those of drafts aren't among them.
std::span<const TensorRow> model_rows() noexcept;
std::span<const TensorRow> layer_rows() noexcept;
bool has(const LayerConfig& layer, const TensorRow& row) noexcept;
// The name of a row's tensor, of one expert where each has its own.
std::string name_of(const TensorRow& row, Naming naming, std::size_t layer, std::size_t expert);

// A tensor of the network, found in the files: `count` matrices of rows x columns; of a vector, one column-less row.
struct Tensor {
  const TensorRow* row = nullptr;
  std::size_t layer = 0;      // of rows of layers
  FileTensor file;            // as listed; of several, the first
  std::vector<Place> places;  // of every matrix
  std::uint64_t rows = 1;
  std::uint64_t columns = 0;

  std::uint64_t count() const noexcept { return places.size(); }
  std::uint64_t elements() const noexcept { return count() * rows * columns; }
  std::uint64_t row_bytes() const noexcept { return columns / file.block_columns * file.block_bytes; }
  std::uint64_t bytes() const noexcept { return count() * rows * row_bytes(); }
};

struct TensorTotals {
  std::uint64_t parameters = 0;
  std::uint64_t active_parameters = 0;  // that one token uses: all but the experts not chosen
  std::uint64_t prompt_parameters = 0;  // of them, that every token of a prompt is multiplied with: not the embedding,
                                        // nor what follows the last mixer and serves tokens with logits alone
  std::uint64_t bytes = 0;              // of all tensors in the files
  std::uint64_t bytes_per_token = 0;    // of weights that decoding one token reads
};

struct TensorTable {
  std::vector<Tensor> tensors;  // in the order of use
  TensorTotals totals;
};

TensorTotals totals_of(const std::vector<Tensor>& tensors, const Config& config);

// Finds every tensor of the configuration among those that the files list.
//   kFormat       a tensor is missing, is there twice, has another shape, or doesn't belong to the network
//   kUnsupported  a tensor has a type that isn't run in its place
Result<TensorTable> match_tensors(std::span<const FileTensor> listed, Naming naming, const Config& config);

}  // namespace lfm::model
