#include "source/identity.h"

#include <algorithm>
#include <cstring>

namespace lfm::source {
namespace {

constexpr std::size_t kHeadBytes = 2 * sizeof(std::uint32_t);
constexpr std::size_t kPartBytes = 2 * sizeof(std::uint64_t);

template <typename T>
T take(std::span<const std::byte>& bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes = bytes.subspan(sizeof value);
  return value;
}

Error damaged() {
  return Error{ErrorCode::kFormat, "what a packed file keeps of its source is damaged", "source"};
}

}  // namespace

std::vector<std::byte> Identity::write() const {
  std::size_t size = kHeadBytes + parts.size() * kPartBytes;
  for (const IdentityPart& part : parts) size += part.kept.size();
  std::vector<std::byte> bytes(size);
  std::byte* at = bytes.data();
  const auto put = [&](auto value) { at = std::copy_n(reinterpret_cast<const std::byte*>(&value), sizeof value, at); };
  put(static_cast<std::uint32_t>(format));
  put(static_cast<std::uint32_t>(parts.size()));
  for (const IdentityPart& part : parts) {
    put(part.file_bytes);
    put(std::uint64_t{part.kept.size()});
  }
  for (const IdentityPart& part : parts) at = std::copy(part.kept.begin(), part.kept.end(), at);
  return bytes;
}

Result<Identity> Identity::read(std::span<const std::byte> bytes) {
  Identity identity;
  if (bytes.size() < kHeadBytes) return damaged();
  identity.format = static_cast<Format>(take<std::uint32_t>(bytes));
  const auto count = take<std::uint32_t>(bytes);
  if (count == 0 || count > bytes.size() / kPartBytes) return damaged();
  std::span<const std::byte> list = bytes.first(count * kPartBytes);
  bytes = bytes.subspan(count * kPartBytes);
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto file_bytes = take<std::uint64_t>(list);
    const auto kept = take<std::uint64_t>(list);
    if (kept > bytes.size()) return damaged();
    identity.parts.push_back({file_bytes, bytes.first(kept)});
    bytes = bytes.subspan(kept);
  }
  if (!bytes.empty()) return damaged();
  return identity;
}

}  // namespace lfm::source
