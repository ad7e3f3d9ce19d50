#include "base/memory.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

namespace lfm::base {

Result<Memory> Memory::allocate(std::size_t bytes, Pages pages) {
  Memory memory;
  if (bytes == 0) return memory;
  void* address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED) {
    return Error{ErrorCode::kNoMemory, "the system refused " + std::to_string(bytes) + " bytes"};
  }
  memory.data_ = static_cast<std::byte*>(address);
  memory.size_ = bytes;
  if (pages == Pages::kHuge) want_huge({memory.data_, bytes});
  return memory;
}

Memory& Memory::operator=(Memory&& other) noexcept {
  if (this != &other) {
    if (data_ != nullptr) ::munmap(data_, size_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

Memory::~Memory() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

namespace {

// Of the system's pages that lie in `bytes` as a whole. It may refuse.
void advise(std::span<std::byte> bytes, int advice) noexcept {
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::uintptr_t first = (begin + page - 1) / page * page, end = (begin + bytes.size()) / page * page;
  if (first < end) (void)::madvise(bytes.data() + (first - begin), end - first, advice);
}

}  // namespace

void want_huge(std::span<std::byte> bytes) noexcept {
  advise(bytes, MADV_HUGEPAGE);
}

void give_back(std::span<std::byte> bytes) noexcept {
  advise(bytes, MADV_DONTNEED);  // what is refused stays until the whole Memory goes
}

Status Arena::allocate() {
  auto memory = Memory::allocate(size_);
  if (!memory.ok()) return std::move(memory).error();
  memory_ = *std::move(memory);
  return {};
}

std::uint64_t peak_memory_bytes() noexcept {
  struct rusage usage;
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace lfm::base
