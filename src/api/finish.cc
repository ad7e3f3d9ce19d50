// What the parts and ends of a generation are called, and what there is to say about an end.
#include "lfm/session.h"

namespace lfm {

const char* to_string(PieceKind kind) noexcept {
  switch (kind) {
    case PieceKind::kText:
      return "text";
    case PieceKind::kReasoning:
      return "reasoning";
    case PieceKind::kToolCall:
      return "tool call";
    case PieceKind::kMalformedCall:
      return "malformed call";
  }
  return "unknown";
}

const char* to_string(FinishReason reason) noexcept {
  switch (reason) {
    case FinishReason::kEnd:
      return "end";
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kContextFull:
      return "context full";
    case FinishReason::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

const char* to_string(CacheType type) noexcept {
  switch (type) {
    case CacheType::kF16:
      return "f16";
    case CacheType::kQ8_0:
      return "q8_0";
  }
  return "";
}

const char* to_string(Draft draft) noexcept {
  switch (draft) {
    case Draft::kOff:
      return "off";
    case Draft::kLookup:
      return "lookup";
    case Draft::kModel:
      return "model";
  }
  return "unknown";
}

namespace {

std::string sentence(FinishReason reason) {
  switch (reason) {
    case FinishReason::kEnd:
      return "the model said that it is done";
    case FinishReason::kStop:
      return "a stop string came";
    case FinishReason::kLength:
      return "max_tokens is reached";
    case FinishReason::kContextFull:
      return "the context is full";
    case FinishReason::kCancelled:
      return "it was cancelled";
  }
  return "unknown";
}

std::string count(std::size_t tokens) {
  return std::to_string(tokens) + (tokens == 1 ? " token" : " tokens");
}

}  // namespace

std::string Finish::describe() const {
  std::string text = (empty() ? "no answer in " : "") + count(tokens);
  if (reasoning_tokens > 0) text += ", " + std::to_string(reasoning_tokens) + " of them thinking";
  text += ": " + sentence(reason);
  if (thinking_open) text += " before the thinking ended";
  if (thinking_cut) text += "; the thinking was cut short";
  return text;
}

}  // namespace lfm
