#include <algorithm>

#include "c/handles.h"

namespace lfm::c {
namespace {

struct Pair {
  ErrorCode inner;
  lfm_code outer;
  const char* name;
};
constexpr Pair kCodes[] = {
    {ErrorCode::kFormat, LFM_FORMAT, "format"},
    {ErrorCode::kUnsupported, LFM_UNSUPPORTED, "unsupported"},
    {ErrorCode::kLimit, LFM_LIMIT, "limit"},
    {ErrorCode::kIo, LFM_IO, "io"},
    {ErrorCode::kNoMemory, LFM_NO_MEMORY, "no memory"},
    {ErrorCode::kArgument, LFM_ARGUMENT, "argument"},
    {ErrorCode::kState, LFM_STATE, "state"},
    {ErrorCode::kNumeric, LFM_NUMERIC, "numeric"},
    {ErrorCode::kCancelled, LFM_CANCELLED, "cancelled"},
};

lfm_code code_of(ErrorCode code) noexcept {
  for (const Pair& pair : kCodes) {
    if (pair.inner == code) return pair.outer;
  }
  return LFM_STATE;
}

}  // namespace

lfm_code report(const Error& error, lfm_error* out) noexcept {
  const lfm_code code = code_of(error.code);
  if (out == nullptr) return code;
  out->code = code;
  out->index = error.index;
  out->offset = error.offset;
  out->have = error.have;
  out->limit = error.limit;
  copy_text(out->field, error.field);
  try {
    copy_text(out->message, error.describe());
  } catch (const std::bad_alloc&) {
    copy_text(out->message, error.message);
  }
  return code;
}

ErrorCode code_of(lfm_code code) noexcept {
  for (const Pair& pair : kCodes) {
    if (pair.outer == code) return pair.inner;
  }
  return ErrorCode::kState;
}

Status given(std::initializer_list<Given> arguments) {
  for (const Given& argument : arguments) {
    if (argument.pointer == nullptr) return Error{ErrorCode::kArgument, "is NULL", argument.name};
  }
  return {};
}

}  // namespace lfm::c

const char* lfm_code_name(lfm_code code) {
  if (code == LFM_OK) return "ok";
  for (const lfm::c::Pair& pair : lfm::c::kCodes) {
    if (pair.outer == code) return pair.name;
  }
  return "unknown";
}

int lfm_abi_version() {
  return LFM_ABI_VERSION;
}

const char* lfm_version() {
  return LFM_VERSION;
}
