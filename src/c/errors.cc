#include <algorithm>
#include <cstring>
#include <string_view>

#include "c/handles.h"

namespace lfm::c {
namespace {

lfm_code code_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kFormat:
      return LFM_FORMAT;
    case ErrorCode::kUnsupported:
      return LFM_UNSUPPORTED;
    case ErrorCode::kLimit:
      return LFM_LIMIT;
    case ErrorCode::kIo:
      return LFM_IO;
    case ErrorCode::kNoMemory:
      return LFM_NO_MEMORY;
    case ErrorCode::kArgument:
      return LFM_ARGUMENT;
    case ErrorCode::kState:
      return LFM_STATE;
    case ErrorCode::kNumeric:
      return LFM_NUMERIC;
    case ErrorCode::kCancelled:
      return LFM_CANCELLED;
  }
  return LFM_STATE;
}

// Copies what fits, whole code points, with a zero behind it.
template <std::size_t kSize>
void copy_text(char (&out)[kSize], std::string_view text) noexcept {
  std::size_t length = std::min(text.size(), kSize - 1);
  if (length < text.size()) {
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) --length;
  }
  std::memcpy(out, text.data(), length);
  out[length] = '\0';
}

}  // namespace

lfm_code report(const Error& error, lfm_error* out) noexcept {
  const lfm_code code = code_of(error.code);
  if (out == nullptr) return code;
  out->code = code;
  out->index = error.index;
  out->offset = error.offset;
  copy_text(out->field, error.field);
  try {
    copy_text(out->message, error.describe());
  } catch (const std::bad_alloc&) {
    copy_text(out->message, error.message);
  }
  return code;
}

lfm_code out_of_memory(lfm_error* out) noexcept {
  return report(Error{ErrorCode::kNoMemory, {}}, out);
}

}  // namespace lfm::c

const char* lfm_code_name(lfm_code code) {
  switch (code) {
    case LFM_OK:
      return "ok";
    case LFM_FORMAT:
      return "format";
    case LFM_UNSUPPORTED:
      return "unsupported";
    case LFM_LIMIT:
      return "limit";
    case LFM_IO:
      return "io";
    case LFM_NO_MEMORY:
      return "no memory";
    case LFM_ARGUMENT:
      return "argument";
    case LFM_STATE:
      return "state";
    case LFM_NUMERIC:
      return "numeric";
    case LFM_CANCELLED:
      return "cancelled";
  }
  return "unknown";
}

const char* lfm_version() {
  return LFM_VERSION;
}
