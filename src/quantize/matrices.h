// Matrices of a layer while it is quantised: as the model has them, and as the new file will.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <variant>
#include <vector>

#include "base/team.h"
#include "engine/load/model_parts.h"
#include "lfm/result.h"
#include "quantize/gptq.h"
#include "quantize/model_writer.h"

namespace lfm::quantize {

struct Matrix {
  std::size_t tensor = 0;  // of the table
  std::size_t number = 0;  // of an expert
  std::size_t rows = 0, columns = 0;
  std::vector<float> original, quantised;

  // Stream 0 is the float network's.
  std::span<const float> of_stream(std::size_t stream) const noexcept { return stream == 0 ? original : quantised; }
};

// The tensor of a layer that GGUF calls so; which must be there.
std::size_t tensor_of(const engine::ModelParts& parts, std::size_t layer, std::string_view name);
Result<std::vector<float>> read_vector(const engine::ModelParts& parts, std::size_t layer, std::string_view name);
Result<Matrix> read_matrix(const engine::ModelParts& parts, std::size_t tensor, std::size_t number);

// Calls task(i) for 0..n-1 on the team; the first error of them.
Status for_each(lfm::base::Team& team, std::size_t n, const std::function<Status(std::size_t)>& task);

// What a matrix's codes go by: what rounding does to its outputs; or the mean squares of its inputs alone, by which the
// squared errors of its weights are weighed.
using Guide = std::variant<Feedback, std::vector<float>>;

// Writes a matrix, by one thread or by all; with feedback matrix.quantised gets what is written. What lies on the
// type's grid already stays as it is.
// kNumeric
Status quantise(const ModelWriter& writer, const Guide& guide, Matrix& matrix);
Status quantise(const ModelWriter& writer, const Guide& guide, Matrix& matrix, lfm::base::Team& team);

}  // namespace lfm::quantize
