#include "text/utf8.h"

namespace lfm::text {
namespace {

// What may follow a lead byte (table 3-7 of the Unicode standard): the second byte has its own range, which shuts out
// overlong forms, surrogates and values that are too large; the others are 80..BF.
struct Lead {
  std::size_t length;  // 0: not a lead byte
  unsigned second_min, second_max;
};

Lead classify_lead(unsigned byte) noexcept {
  if (byte < 0xC2) return {0, 0, 0};
  if (byte < 0xE0) return {2, 0x80, 0xBF};
  if (byte < 0xF0) return {3, byte == 0xE0 ? 0xA0u : 0x80u, byte == 0xED ? 0x9Fu : 0xBFu};
  if (byte < 0xF5) return {4, byte == 0xF0 ? 0x90u : 0x80u, byte == 0xF4 ? 0x8Fu : 0xBFu};
  return {0, 0, 0};
}

}  // namespace

CodePoint decode_utf8(std::string_view text, std::size_t at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const unsigned first = byte(0);
  if (first < 0x80) return {first, 1, Utf8Form::kWhole};
  const Lead lead = classify_lead(first);
  if (lead.length == 0) return {kReplacementCharacter, 1, Utf8Form::kBroken};

  const std::size_t left = text.size() - at;
  char32_t value = first & (0x7Fu >> lead.length);
  for (std::size_t i = 1; i < lead.length; ++i) {
    if (i == left) return {kReplacementCharacter, i, Utf8Form::kTruncated};
    const unsigned min = i == 1 ? lead.second_min : 0x80u;
    const unsigned max = i == 1 ? lead.second_max : 0xBFu;
    if (byte(i) < min || byte(i) > max) return {kReplacementCharacter, i, Utf8Form::kBroken};
    value = value << 6 | (byte(i) & 0x3Fu);
  }
  return {value, lead.length, Utf8Form::kWhole};
}

bool is_utf8(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = decode_utf8(text, at);
    if (point.form != Utf8Form::kWhole) return false;
    at += point.length;
  }
  return true;
}

void append_utf8(char32_t c, std::string& out) {
  const auto byte = [&out](char32_t value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
  if (c < 0x80) return byte(c);
  if (c < 0x800) {
    byte(0xc0 | (c >> 6));
  } else {
    if (c < 0x10000) {
      byte(0xe0 | (c >> 12));
    } else {
      byte(0xf0 | (c >> 18));
      byte(0x80 | ((c >> 12) & 0x3f));
    }
    byte(0x80 | ((c >> 6) & 0x3f));
  }
  byte(0x80 | (c & 0x3f));
}

}  // namespace lfm::text
