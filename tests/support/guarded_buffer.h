// Memory between two pages that may not be touched, so that a kernel that reads or writes outside its buffer dies.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <new>
#include <span>

namespace lfm::test {

// Which end of the buffer touches its forbidden page. The other end has slack of less than a page.
enum class Edge { kStart, kEnd };

//   Edge::kStart   [forbidden page][data ........ slack][forbidden page]      data is aligned to a page
//   Edge::kEnd     [forbidden page][slack ........ data][forbidden page]      data ends at a page, so it is aligned as
//                                                                             its size is
// Data starts as bytes of 0xff: NaN as floats, so that what is used before it is written shows.
class GuardedBuffer {
 public:
  GuardedBuffer(std::size_t bytes, Edge edge) : size_(bytes), page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
    const std::size_t inner = (bytes + page_ - 1) / page_ * page_;
    mapped_ = inner + 2 * page_;
    void* map = mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) throw std::bad_alloc();
    base_ = static_cast<std::byte*>(map);
    if (inner > 0 && mprotect(base_ + page_, inner, PROT_READ | PROT_WRITE) != 0) {
      munmap(base_, mapped_);
      throw std::bad_alloc();
    }
    data_ = base_ + page_ + (edge == Edge::kEnd ? inner - bytes : 0);
    if (bytes > 0) std::memset(data_, 0xff, bytes);
  }
  ~GuardedBuffer() { munmap(base_, mapped_); }
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;

  std::byte* data() noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

  // The buffer as elements of T; a remainder smaller than T is left out.
  template <class T>
  std::span<T> as() noexcept {
    return {reinterpret_cast<T*>(data_), size_ / sizeof(T)};
  }

 private:
  std::size_t size_;
  std::size_t page_;
  std::size_t mapped_ = 0;
  std::byte* base_ = nullptr;
  std::byte* data_ = nullptr;
};

}  // namespace lfm::test
