// Quantising layer by layer on the hidden states of networks that are fed the same text. With error feedback there are
// two: the float one, whose outputs are aimed at, and the quantised one, whose inputs the next matrix will have.
// Without it the float one's squared inputs are all that is looked at.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "base/team.h"
#include "engine/load/model_parts.h"
#include "kernels/table.h"
#include "lfm/quantize.h"
#include "lfm/result.h"
#include "quantize/checkpoint.h"
#include "quantize/model_writer.h"

namespace lfm::quantize {

struct Calibration {
  QuantizeMethod method = QuantizeMethod::kTwoStreams;
  CheckpointFile checkpoint;   // written after every layer
  CheckpointFile::State done;  // what was prepared, and what an earlier run came to
};

// Whether a tensor of the file is written by quantise_calibrated(): all matrices of the layers whose type has blocks.
bool is_calibrated(const ModelWriter& writer, std::size_t tensor) noexcept;

// Of those tensors of a layer as they lie in the unfinished file, behind those of the layers before.   kIo
Result<std::uint64_t> written_checksum(const engine::ModelParts& parts, const ModelWriter& writer, std::size_t layer,
                                       std::uint64_t before);

// Writes those tensors. `seen` gets the sums of squares of all inputs. `progress` is called on this thread with the
// part that is done; false stops it.
//   kCancelled, kNumeric;   kFormat, kIo  of the model's files
Status quantize_calibrated(const engine::ModelParts& parts, const ModelWriter& writer, const Calibration& calibration,
                           const kernels::Table& kernels, lfm::base::Team& team,
                           const std::function<bool(double part)>& progress, Imatrix& seen);

}  // namespace lfm::quantize
