#include "hub/digest.h"

#include <nettle/sha1.h>
#include <nettle/sha2.h>

#include <array>
#include <span>
#include <variant>

namespace lfm::hub {
namespace {

constexpr std::size_t kSha1Digits = 40;

std::string hex(std::span<const std::uint8_t> bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

}  // namespace

struct Digest::State {
  std::variant<sha256_ctx, sha1_ctx> hash;
};

Digest::Digest(std::string_view expected, std::uint64_t bytes) : state_(std::make_unique<State>()) {
  if (expected.size() != kSha1Digits) {
    sha256_init(&state_->hash.emplace<sha256_ctx>());
    return;
  }
  sha1_init(&state_->hash.emplace<sha1_ctx>());
  const std::string head = "blob " + std::to_string(bytes);
  add(std::string_view(head.c_str(), head.size() + 1));
}

Digest::~Digest() = default;

void Digest::add(std::string_view bytes) {
  const auto* const data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  if (auto* const large = std::get_if<sha256_ctx>(&state_->hash)) {
    sha256_update(large, bytes.size(), data);
  } else {
    sha1_update(std::get_if<sha1_ctx>(&state_->hash), bytes.size(), data);
  }
}

std::string Digest::finish() {
  if (auto* const large = std::get_if<sha256_ctx>(&state_->hash)) {
    std::array<std::uint8_t, SHA256_DIGEST_SIZE> bytes;
    sha256_digest(large, bytes.size(), bytes.data());
    return hex(bytes);
  }
  std::array<std::uint8_t, SHA1_DIGEST_SIZE> bytes;
  sha1_digest(std::get_if<sha1_ctx>(&state_->hash), bytes.size(), bytes.data());
  return hex(bytes);
}

}  // namespace lfm::hub
