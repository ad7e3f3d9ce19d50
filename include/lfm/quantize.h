// Models in other types: from Hugging Face's folders or GGUF files to GGUF files.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "lfm/export.h"
#include "lfm/result.h"

namespace lfm {

// What weights become. Norms, the convolutions' taps, the experts' biases and the router stay in float32. In the types
// of four bits the embedding, which is the head too, is Q6_K.
enum class WeightType : std::uint8_t { kF32, kF16, kBF16, kQ8_0, kQ6_K, kQ4_0, kIQ4_NL };

// How the codes of four bits are chosen. The other types look at the weights alone.
//   kTwoStreams  what rounding does to the outputs, later codes make good (GPTQ), on inputs as the quantised network
//   has
//                them, and towards the outputs of the float one
//   kOneStream   the same on the float network's inputs: in half the time
//   kNoData      every block by itself, with the scale of the least squared error
enum class QuantizeMethod : std::uint8_t { kTwoStreams, kOneStream, kNoData };

enum class QuantizePhase : std::uint8_t { kSampling, kCalibrated, kPlain };  // kPlain: what needs no calibration

struct QuantizeOptions {
  WeightType type = WeightType::kQ4_0;
  QuantizeMethod method = QuantizeMethod::kTwoStreams;

  // Text like what the network is for; where it is empty, the network itself writes it. Not what it is evaluated on.
  std::string calibration = {};
  std::size_t calibration_tokens = 32768;  // at most

  // llama.cpp's file of mean squared inputs, by which the squared errors of weights are weighed: instead of a method.
  // And one to write of what the calibration saw; with it nothing is kept to go on with. Each may be empty.
  std::string imatrix = {};
  std::string imatrix_out = {};

  unsigned threads = 0;    // 0: as EngineOptions has it; the file is the same
  bool overwrite = false;  // files that are there already

  // Called on this thread: how much of which phase is done, 0..1. False stops it. May be empty.
  std::function<bool(QuantizePhase phase, double part)> progress = nullptr;
};

struct QuantizeInfo {
  std::string source_name;  // the model's, made fit for a terminal; may be empty
  std::uint64_t file_bytes = 0;
  std::uint64_t parameters = 0;
  std::uint64_t weight_bytes = 0;  // of all tensors
};

// A calibration that was stopped or killed goes on behind the last layer that was done, when it is called again with
// the same model and options; the result has the same bytes. What it has come to is kept beside `out`, as .NAME.part
// and .NAME.state, until anything else is written as `out`; it begins again where they don't belong together.
//
// Writes `model`, which may be a Hugging Face folder, as the GGUF file `out`, which appears complete or not at all.
// F16, BF16 and Q8_0 are rounded as llama.cpp does.
//   kIo, kFormat, kUnsupported, kNoMemory  as Engine::open, and about `out`
//   kArgument   `out` or imatrix_out is the model itself or no regular file, or is there and overwrite is false;
//               or they are the same file
//   kUnsupported  rows that aren't whole blocks of the type;   kNumeric  a weight isn't a number, or too large for it
//   kState      another process is writing `out`;   kCancelled  progress said so
LFM_API Result<QuantizeInfo> quantize_model(const std::string& model, const std::string& out,
                                            const QuantizeOptions& options);

}  // namespace lfm
