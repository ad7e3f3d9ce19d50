#include "lfm/quantize.h"

#include <cstddef>
#include <string_view>

#include "base/try.h"
#include "c/convert.h"
#include "c/sized.h"

namespace c = lfm::c;

namespace lfm::c {

// Before mixes.
template <>
inline constexpr std::size_t kFirstSize<lfm_quantize_options> = offsetof(lfm_quantize_options, mix);
template <>
inline constexpr std::size_t kFirstSize<lfm_quantize_info> = offsetof(lfm_quantize_info, mix_divergence);

namespace {

QuantizeMethod method_of(lfm_quantize_method method) {
  switch (method) {
    case LFM_QUANTIZE_TWO_STREAMS:
      return QuantizeMethod::kTwoStreams;
    case LFM_QUANTIZE_ONE_STREAM:
      return QuantizeMethod::kOneStream;
    case LFM_QUANTIZE_NO_DATA:
      return QuantizeMethod::kNoData;
  }
  return QuantizeMethod::kTwoStreams;
}

Mix mix_of(lfm_mix mix) {
  switch (mix) {
    case LFM_MIX_NONE:
      return Mix::kNone;
    case LFM_MIX_AUTO:
      return Mix::kAuto;
    case LFM_MIX_BITS:
      return Mix::kBits;
  }
  return Mix::kNone;
}

lfm_quantize_phase phase_to_c(QuantizePhase phase) {
  switch (phase) {
    case QuantizePhase::kPreparing:
      return LFM_QUANTIZE_PREPARING;
    case QuantizePhase::kSampling:
      return LFM_QUANTIZE_SAMPLING;
    case QuantizePhase::kMeasuring:
      return LFM_QUANTIZE_MEASURING;
    case QuantizePhase::kCalibrated:
      return LFM_QUANTIZE_CALIBRATED;
    case QuantizePhase::kPlain:
      return LFM_QUANTIZE_PLAIN;
  }
  return LFM_QUANTIZE_PLAIN;
}

lfm_quantize_info info_to_c(const QuantizeInfo& info) {
  lfm_quantize_info out{};
  out.size = sizeof out;
  copy_text(out.source_name, info.source_name);
  out.file_bytes = info.file_bytes;
  out.parameters = info.parameters;
  out.weight_bytes = info.weight_bytes;
  out.mix_divergence = info.mix_divergence;
  return out;
}

void tell(const QuantizeInfo& info, const lfm_quantize_options& options) {
  if (options.mixed == nullptr) return;
  for (const MixedTensor& tensor : info.mix) {
    const lfm_mixed_tensor told = {sizeof told,       tensor.name.c_str(), tensor.type.c_str(),
                                   tensor.more_bytes, tensor.divergence,   tensor.gain};
    options.mixed(&told, options.mixed_user);
  }
}

}  // namespace
}  // namespace lfm::c

lfm_code lfm_quantize(const char* model, const char* out, const lfm_quantize_options* options, lfm_quantize_info* info,
                      lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{model, "model"}, {out, "out"}}));
    if (info != nullptr) LFM_TRY(c::check_size(*info, "info"));
    LFM_ASSIGN(const lfm_quantize_options given, c::read_sized(options, "options"));
    if (given.calibration == nullptr && given.calibration_bytes > 0) LFM_TRY(c::given({{nullptr, "calibration"}}));
    lfm::QuantizeOptions inner;
    LFM_ASSIGN(inner.type, c::weight_type_of(given.type, "type"));
    LFM_ASSIGN(const lfm_quantize_method method, c::known(given.method, "method"));
    LFM_ASSIGN(const lfm_mix mix, c::known(given.mix, "mix"));
    inner.method = c::method_of(method);
    inner.threads = given.threads;
    inner.overwrite = given.overwrite;
    if (given.calibration != nullptr) inner.calibration = std::string_view(given.calibration, given.calibration_bytes);
    if (given.calibration_tokens != 0) inner.calibration_tokens = given.calibration_tokens;
    inner.mix = c::mix_of(mix);
    inner.mix_bits = given.mix_bits;
    if (given.imatrix != nullptr) inner.imatrix = given.imatrix;
    if (given.imatrix_out != nullptr) inner.imatrix_out = given.imatrix_out;
    if (given.progress != nullptr) {
      inner.progress = [&given](lfm::QuantizePhase phase, double part) {
        return given.progress(c::phase_to_c(phase), part, given.progress_user);
      };
    }
    LFM_ASSIGN(const lfm::QuantizeInfo done, lfm::quantize_model(model, out, inner));
    c::tell(done, given);
    return info != nullptr ? c::write_sized(c::info_to_c(done), info, "info") : lfm::Status();
  });
}
