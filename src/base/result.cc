#include "lfm/result.h"

#include "lfm/export.h"

namespace lfm {

LFM_API const char* to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::kFormat:
      return "format";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kLimit:
      return "limit";
    case ErrorCode::kIo:
      return "io";
    case ErrorCode::kNoMemory:
      return "no memory";
    case ErrorCode::kArgument:
      return "argument";
    case ErrorCode::kState:
      return "state";
    case ErrorCode::kNumeric:
      return "numeric";
    case ErrorCode::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

LFM_API std::string Error::describe() const {
  std::string text = field.empty() ? "" : field + ": ";
  text += message.empty() ? to_string(code) : message;
  if (index != kNone) text += " (index " + std::to_string(index);
  if (offset != kNone) text += (index != kNone ? ", at byte " : " (at byte ") + std::to_string(offset);
  if (index != kNone || offset != kNone) text += ")";
  return text;
}

}  // namespace lfm
