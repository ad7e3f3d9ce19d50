#include "support/alloc_meter.h"

#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace lfm::test {
namespace {

thread_local AllocMeter* current = nullptr;

void* allocate(std::size_t size, std::size_t alignment) {
  AllocMeter* meter = current;
  if (meter != nullptr && !meter->allow()) throw std::bad_alloc();
  void* memory = alignment <= alignof(std::max_align_t)
                     ? std::malloc(std::max<std::size_t>(size, 1))
                     : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  if (meter != nullptr) meter->add(static_cast<std::int64_t>(malloc_usable_size(memory)));
  return memory;
}

void release(void* memory) noexcept {
  if (memory == nullptr) return;
  if (current != nullptr) current->add(-static_cast<std::int64_t>(malloc_usable_size(memory)));
  std::free(memory);
}

}  // namespace

AllocMeter::AllocMeter(std::uint64_t fail_at, bool forever) noexcept : fail_at_(fail_at), forever_(forever) {
  current = this;
}

AllocMeter::~AllocMeter() {
  current = nullptr;
}

bool AllocMeter::allow() noexcept {
  const std::uint64_t index = allocations_++;
  return forever_ ? index < fail_at_ : index != fail_at_;
}

void AllocMeter::add(std::int64_t bytes) noexcept {
  live_ += bytes;
  peak_ = std::max(peak_, live_);
}

}  // namespace lfm::test

void* operator new(std::size_t size) {
  return lfm::test::allocate(size, 0);
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return lfm::test::allocate(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return lfm::test::allocate(size, 0);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void operator delete(void* memory) noexcept {
  lfm::test::release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  lfm::test::release(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  lfm::test::release(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept {
  lfm::test::release(memory);
}
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  lfm::test::release(memory);
}

extern "C" {
void* __real_mmap(void* at, std::size_t bytes, int protection, int flags, int file, off_t offset);
void* __wrap_mmap(void* at, std::size_t bytes, int protection, int flags, int file, off_t offset) {
  void* const memory = __real_mmap(at, bytes, protection, flags, file, offset);
  if (lfm::test::current != nullptr && memory != MAP_FAILED) lfm::test::current->add(static_cast<std::int64_t>(bytes));
  return memory;
}
int __real_munmap(void* memory, std::size_t bytes);
int __wrap_munmap(void* memory, std::size_t bytes) {
  if (lfm::test::current != nullptr) lfm::test::current->add(-static_cast<std::int64_t>(bytes));
  return __real_munmap(memory, bytes);
}
}
