// Page-aligned memory straight from the system: zeroed, touched only where it is used, returned when it goes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "lfm/result.h"

namespace lfm::base {

class Memory {
 public:
  enum class Pages { kNormal, kHuge };  // kHuge asks for 2 MiB pages where the system gives them

  // kNoMemory where the system refuses. bytes = 0 gives an empty span.
  static Result<Memory> allocate(std::size_t bytes, Pages pages = Pages::kNormal);

  // Of a file without a name in `folder`, so that the system can take its pages back when it needs them; all of the
  // disk that it takes is reserved. kIo
  static Result<Memory> in_file(const std::string& folder, std::size_t bytes);

  Memory() = default;
  Memory(Memory&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Memory& operator=(Memory&& other) noexcept;
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  ~Memory();

  std::byte* data() noexcept { return data_; }
  const std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

// Asks for huge pages in place of normal ones that aren't touched yet, where the system gives them.
void want_huge(std::span<std::byte> bytes) noexcept;

// Gives the system back what of it are whole pages of its own, inside a Memory: whose bytes are zero when they are used
// again.
void give_back(std::span<std::byte> bytes) noexcept;

// Cuts one Memory into aligned arrays. First every array is asked for with reserve(), then allocate() is called once,
// and get() gives the arrays by the handles that reserve() returned.
class Arena {
 public:
  static constexpr std::size_t kAlignment = 64;

  template <typename T>
  struct Handle {
    std::size_t offset = 0;
    std::size_t count = 0;
  };

  template <typename T>
  Handle<T> reserve(std::size_t count) {
    const Handle<T> handle{size_, count};
    size_ += (count * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    return handle;
  }

  Status allocate();

  template <typename T>
  std::span<T> get(Handle<T> handle) noexcept {
    return {reinterpret_cast<T*>(memory_.data() + handle.offset), handle.count};
  }

  std::size_t size() const noexcept { return size_; }

 private:
  Memory memory_;
  std::size_t size_ = 0;
};

// The most memory that this process has had in use, in bytes; 0 where the system doesn't tell.
std::uint64_t peak_memory_bytes() noexcept;

// Pages that threads of the process have waited for a disk for.
std::uint64_t pages_from_disk() noexcept;

}  // namespace lfm::base
