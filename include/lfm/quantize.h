// Models in other types: from Hugging Face's folders or GGUF files to GGUF files.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "lfm/export.h"
#include "lfm/result.h"
#include "lfm/types.h"

namespace lfm {

// How codes are chosen. Floats and Q8_0 are rounded to what is nearest, whatever it says here.
//   kTwoStreams  what rounding does to the outputs, later codes make good (GPTQ), on inputs as the quantised network
//                has them, and towards the outputs of the float one
//   kOneStream   the same on the float network's inputs: in half the time
//   kNoData      every block by itself, with the scale of the least squared error, weighed by the mean squared inputs
//   of
//                a few hundred tokens of our own, or of the calibration, where there is one: in minutes, and nothing of
//                it is kept to go on with
enum class QuantizeMethod : std::uint8_t { kTwoStreams, kOneStream, kNoData };

// Which matrices get more bits than the type has: those where that brings most for its bytes, by the KL divergence that
// each is measured to cause.
//   kAuto  a twentieth more bytes than without
//   kBits  as many as mix_bits allows
enum class Mix : std::uint8_t { kNone, kAuto, kBits };

enum class QuantizePhase : std::uint8_t {
  kPreparing,  // a network of eight bits, to sample from and to measure by, and for a mix one of the type
  kSampling,   // the network writes its text
  kMeasuring,  // what each matrix brings
  kCalibrated,
  kPlain,  // what needs no calibration
};

struct QuantizeOptions {
  WeightType type = WeightType::kQ4_0;
  QuantizeMethod method = QuantizeMethod::kTwoStreams;

  Mix mix = Mix::kNone;
  double mix_bits = 0;  // a weight, of all the file's: QuantizeInfo has what it came to

  // Text like what the network is for; where it is empty, the network itself writes it. Not what it is evaluated on.
  std::string calibration = {};
  std::size_t calibration_tokens = 32768;  // at most, taken from all over the text

  // llama.cpp's file of mean squared inputs, by which the squared errors of weights are weighed: instead of a method.
  // And one to write of what the calibration saw; with it nothing is kept to go on with. Each may be empty.
  std::string imatrix = {};
  std::string imatrix_out = {};

  unsigned threads = 0;    // 0: as EngineOptions has it; the file is the same
  bool overwrite = false;  // files that are there already

  // Called on this thread: how much of which phase is done, 0..1. False stops it. May be empty.
  std::function<bool(QuantizePhase phase, double part)> progress = nullptr;
};

// A matrix, or all of a layer's experts', that a mix looked at.
struct MixedTensor {
  std::string name;              // as GGUF has it
  std::string type;              // what it became
  std::uint64_t more_bytes = 0;  // than in the file's type
  double divergence = 0;         // that the file's type causes there, in nats
  double gain = 0;               // what became less of it
};

struct QuantizeInfo {
  std::string source_name;  // the model's, made fit for a terminal; may be empty
  std::uint64_t file_bytes = 0;
  std::uint64_t parameters = 0;
  std::uint64_t weight_bytes = 0;  // of all tensors

  // Of a mix: from the one that causes most, measured on the type without calibration, and what all cause together.
  std::vector<MixedTensor> mix = {};
  double mix_divergence = 0;
};

// A calibration that was stopped or killed goes on behind the last layer that was done, when it is called again with
// the same model and options; the result has the same bytes. What it has come to is kept beside `out`, as .NAME.part
// and .NAME.state, until anything else is written as `out`; it begins again where they don't belong together.
//
// Writes `model`, which may be a Hugging Face folder, as the GGUF file `out`, which appears complete or not at all.
// F16, BF16 and Q8_0 are rounded as llama.cpp does.
//   kIo, kFormat, kUnsupported, kNoMemory  as Engine::open, and about `out`
//   kArgument   a calibration, imatrix or mix for a type that has none (field: the option), or a mix from an imatrix;
//               `out` or imatrix_out is the model itself or no regular file, or is there and overwrite is false;
//               or they are the same file
//   kUnsupported  rows that aren't whole blocks of the type;   kNumeric  a weight isn't a number, or too large for it
//   kState      another process is writing `out`;   kCancelled  progress said so
LFM_API Result<QuantizeInfo> quantize_model(const std::string& model, const std::string& out,
                                            const QuantizeOptions& options);

}  // namespace lfm
