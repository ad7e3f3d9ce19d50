#include "text/byte_alphabet.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "text/utf8.h"

namespace lfm::text {
namespace {

constexpr std::size_t kCharacters = 0x100 + 68;
constexpr std::int16_t kNoByte = -1;

constexpr bool stands_for_itself(std::size_t byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
}

constexpr std::array<std::int16_t, kCharacters> byte_of_character() {
  std::array<std::int16_t, kCharacters> bytes = {};
  std::size_t next = 0x100;
  for (std::size_t byte = 0; byte < 0x100; ++byte) {
    bytes[byte] = kNoByte;
    bytes[stands_for_itself(byte) ? byte : next++] = static_cast<std::int16_t>(byte);
  }
  return bytes;
}

}  // namespace

bool append_written_bytes(std::string_view written, std::string& bytes) {
  static constexpr auto kByte = byte_of_character();
  const std::size_t before = bytes.size();
  for (std::size_t at = 0; at < written.size();) {
    const CodePoint point = decode_utf8(written, at);
    if (point.form != Utf8Form::kWhole || point.value >= kByte.size() || kByte[point.value] == kNoByte) {
      bytes.resize(before);
      return false;
    }
    bytes.push_back(static_cast<char>(kByte[point.value]));
    at += point.length;
  }
  return true;
}

}  // namespace lfm::text
