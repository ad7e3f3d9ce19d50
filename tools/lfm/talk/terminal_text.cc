#include "talk/terminal_text.h"

#include <cstdint>
#include <cstdio>

namespace lfm::cli {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

enum class Utf8 { kComplete, kIncomplete, kWrong };

// The bytes that may follow a first byte: how many, and the range of the second one.
struct Following {
  std::size_t count;
  unsigned char least = 0x80;
  unsigned char most = 0xBF;
};

Following following(unsigned char first) {
  if (first < 0x80) return {0};
  if (first >= 0xC2 && first <= 0xDF) return {1};
  if (first == 0xE0) return {2, 0xA0};
  if (first == 0xED) return {2, 0x80, 0x9F};
  if (first >= 0xE0 && first <= 0xEF) return {2};
  if (first == 0xF0) return {3, 0x90};
  if (first == 0xF4) return {3, 0x80, 0x8F};
  if (first >= 0xF1 && first <= 0xF3) return {3};
  return {4};  // can't begin a character
}

Utf8 check(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const Following next = following(at(0));
  if (next.count > 3) return Utf8::kWrong;
  if (bytes.size() > 1 && (at(1) < next.least || at(1) > next.most)) return Utf8::kWrong;
  if (bytes.size() > 2 && (at(bytes.size() - 1) & 0xC0) != 0x80) return Utf8::kWrong;
  return bytes.size() == next.count + 1 ? Utf8::kComplete : Utf8::kIncomplete;
}

std::uint32_t code_point(std::string_view character) {
  auto code = static_cast<std::uint32_t>(static_cast<unsigned char>(character[0]));
  if (character.size() > 1) code &= 0x7Fu >> character.size();
  for (const char byte : character.substr(1)) code = code << 6 | (static_cast<unsigned char>(byte) & 0x3Fu);
  return code;
}

// Marks, overrides and isolates of the writing direction, and tags, which show nothing at all.
bool deceives(std::uint32_t code) {
  return code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069) || (code >= 0xE0000 && code <= 0xE007F);
}

std::string picture(std::string_view character) {
  const std::uint32_t code = code_point(character);
  if (code == '\n' || code == '\t') return std::string(character);
  if (code < 0x20 || code == 0x7F) {  // U+2400 and following are pictures of U+0000 and following
    return {'\xE2', '\x90', static_cast<char>(0x80 + (code == 0x7F ? 0x21 : code))};
  }
  if (code < 0x80 || (code > 0x9F && !deceives(code))) return std::string(character);
  char number[16];
  std::snprintf(number, sizeof(number), "<U+%04X>", static_cast<unsigned>(code));
  return number;
}

}  // namespace

std::string TerminalText::show(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes) {
    pending_ += byte;
    Utf8 state = check(pending_);
    if (state == Utf8::kWrong && pending_.size() > 1) {  // the byte begins something else
      out += kReplacement;
      pending_ = byte;
      state = check(pending_);
    }
    if (state == Utf8::kIncomplete) continue;
    out += state == Utf8::kComplete ? picture(pending_) : std::string(kReplacement);
    pending_.clear();
  }
  return out;
}

std::string TerminalText::finish() {
  if (pending_.empty()) return {};
  pending_.clear();
  return std::string(kReplacement);
}

std::string shown(std::string_view text) {
  TerminalText filter;
  std::string out = filter.show(text);
  return out + filter.finish();
}

std::string shown_name(std::string_view name) {
  std::string out;
  for (const char c : shown(name)) out += c == '\n' ? "\xE2\x90\x8A" : std::string(1, c);
  return out;
}

}  // namespace lfm::cli
