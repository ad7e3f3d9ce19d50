// The one way in which GGUF's header bytes are read: forward, from a source into a buffer, never past what there is.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "lfm/result.h"

namespace lfm::format {

static_assert(std::endian::native == std::endian::little, "values are copied as the file has them");

// The number at `bytes`, at any alignment.
template <typename T>
T load(const std::byte* bytes) noexcept {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

class Cursor {
 public:
  using Source = std::function<Status(std::uint64_t offset, std::span<std::byte> out)>;

  // The buffer holds the first `limit` bytes of a source of `size` bytes as they are needed; it isn't touched, and so
  // takes no memory, beyond that.
  Cursor(Source source, std::uint64_t size, std::uint64_t limit)
      : source_(std::move(source)),
        size_(size),
        limit_(std::min(size, limit)),
        buffer_(std::make_unique_for_overwrite<std::byte[]>(limit_)) {}

  std::uint64_t position() const noexcept { return position_; }
  std::uint64_t remaining() const noexcept { return size_ - position_; }
  const std::byte* buffer() const noexcept { return buffer_.get(); }
  std::unique_ptr<std::byte[]> release() noexcept { return std::move(buffer_); }

  // What errors from here on are about. The text must outlive its use.
  void about(std::string_view field, std::uint64_t index = Error::kNone) noexcept {
    field_ = field;
    index_ = index;
  }

  // An error at byte `offset` about the present subject.
  Error error(std::string message, std::uint64_t offset, ErrorCode code = ErrorCode::kFormat) const {
    return Error{code, std::move(message), base::printable(field_, 64), index_, offset};
  }

  // Moves past n bytes and returns where they lie in the buffer.
  Result<const std::byte*> take(std::uint64_t n) {
    if (n > remaining()) [[unlikely]] {
      return error("the file is truncated: " + std::to_string(n) + " bytes wanted, " + std::to_string(remaining()) +
                       " left; if it was downloaded, download it again",
                   position_);
    }
    if (n > loaded_ - position_) [[unlikely]] {
      if (auto status = load_more(n); !status.ok()) return std::move(status).error();
    }
    const std::byte* bytes = buffer_.get() + position_;
    position_ += n;
    return bytes;
  }

  template <typename T>
  Result<T> number() {
    auto bytes = take(sizeof(T));
    if (!bytes.ok()) [[unlikely]]
      return std::move(bytes).error();
    return load<T>(*bytes);
  }

 private:
  static constexpr std::uint64_t kPiece = std::uint64_t{256} << 10;

  // Requires n <= remaining().
  Status load_more(std::uint64_t n) {
    if (n > limit_ - position_) {
      return error("the header is larger than " + std::to_string(limit_) + " bytes", position_, ErrorCode::kLimit);
    }
    const std::uint64_t end = std::min(limit_, position_ + std::max(n, kPiece));
    if (auto status = source_(loaded_, {buffer_.get() + loaded_, end - loaded_}); !status.ok()) return status;
    loaded_ = end;
    return {};
  }

  Source source_;
  std::uint64_t size_;
  std::uint64_t limit_;
  std::unique_ptr<std::byte[]> buffer_;
  std::uint64_t position_ = 0;
  std::uint64_t loaded_ = 0;
  std::string_view field_;
  std::uint64_t index_ = Error::kNone;
};

}  // namespace lfm::format
