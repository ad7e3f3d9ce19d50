// Saved sessions that are made on purpose, their checksums right.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <utility>

#include "base/checksum.h"
#include "engine/session/saved_session.h"
#include "support/gguf_builder.h"

namespace lfm::test {

class Forgery {
 public:
  explicit Forgery(std::string bytes) : bytes_(std::move(bytes)) {
    bytes_.copy(reinterpret_cast<char*>(&header), sizeof header);
  }

  engine::SavedHeader header;

  // With a new header, whose sum seeds all others.
  std::string sealed() {
    if (header.tokens < (bytes_.size() - sizeof header) / 4)
      header.tokens_sum = base::checksum(as_bytes(bytes_).subspan(sizeof header, 4 * header.tokens));
    header.sum = 0;
    header.sum = base::checksum(std::as_bytes(std::span(&header, 1)));
    std::memcpy(bytes_.data(), &header, sizeof header);
    std::uint64_t at = sizeof header;
    // False where there is no such section in the file.
    const auto seal = [&](std::uint64_t length) {
      if (at + 8 > bytes_.size() || length > bytes_.size() - at - 8) return false;
      const std::uint64_t sum = base::checksum(as_bytes(bytes_).subspan(at, length), header.sum + at);
      std::memcpy(bytes_.data() + at + length, &sum, sizeof sum);
      at += length + 8;
      return true;
    };
    bool more = seal(4 * header.tokens) && seal(8 * header.snapshots) && seal(4 * header.logits);
    for (std::uint64_t i = 0; more && i <= header.snapshots; ++i) more = seal(4 * header.conv_floats);
    for (std::uint64_t i = 0; more && i < header.pages; ++i) more = seal(header.page_bytes);
    return bytes_;
  }

  template <typename T>
  Forgery& put(std::uint64_t at, T value) {
    std::memcpy(bytes_.data() + at, &value, sizeof value);
    return *this;
  }

  std::uint64_t positions() const { return sizeof header + 4 * header.tokens + 8; }
  std::uint64_t logits() const { return positions() + 8 * header.snapshots + 8; }
  std::uint64_t state() const { return logits() + 4 * header.logits + 8; }
  std::uint64_t snapshots() const { return state() + 4 * header.conv_floats + 8; }
  std::uint64_t pages() const { return snapshots() + header.snapshots * (4 * header.conv_floats + 8); }

 private:
  std::string bytes_;
};

}  // namespace lfm::test
