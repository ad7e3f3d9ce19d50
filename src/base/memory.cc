#include "base/memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/descriptor.h"
#include "base/file.h"
#include "base/system.h"

namespace lfm::base {
namespace {

// -1 with errno where there can't be one.
int open_nameless(const std::string& folder) {
  std::string name = folder + "/.lfm-XXXXXX";
  const int file = ::mkstemp(name.data());
  if (file < 0) return file;
  (void)::unlink(name.c_str());
  (void)::fcntl(file, F_SETFD, FD_CLOEXEC);
  return file;
}

}  // namespace

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

Result<Memory> Memory::in_file(const std::string& folder, std::size_t bytes) {
  Memory memory;
  if (bytes == 0) return memory;
  const Descriptor file(open_nameless(folder));
  if (file.get() < 0) return io_error("cannot make a temporary file", folder, errno);
  // A page that the disk has no room for would be a SIGBUS.
  if (system::reserve(file.get(), bytes) != 0 && errno != EOPNOTSUPP && errno != ENOSYS)
    return io_error("no room for a temporary file of " + std::to_string(bytes) + " bytes", folder, errno);
  if (::ftruncate(file.get(), static_cast<off_t>(bytes)) != 0)
    return io_error("cannot cut a temporary file", folder, errno);
  void* address = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (address == MAP_FAILED) return io_error("cannot map a temporary file", folder, errno);
  memory.data_ = static_cast<std::byte*>(address);
  memory.size_ = bytes;
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

// The system's pages that lie in them as a whole.
std::span<std::byte> pages_in(std::span<std::byte> bytes) noexcept {
  static const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::uintptr_t first = (begin + page - 1) / page * page, end = (begin + bytes.size()) / page * page;
  return first < end ? bytes.subspan(first - begin, end - first) : std::span<std::byte>();
}

}  // namespace

void want_huge(std::span<std::byte> bytes) noexcept {
  const std::span<std::byte> pages = pages_in(bytes);
  if (!pages.empty()) system::want_huge(pages.data(), pages.size());
}

void give_back(std::span<std::byte> bytes) noexcept {
  const std::span<std::byte> pages = pages_in(bytes);
  // What is refused stays until the whole Memory goes.
  if (!pages.empty()) (void)::madvise(pages.data(), pages.size(), MADV_DONTNEED);
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
#if defined(__APPLE__)
  constexpr std::uint64_t kUnit = 1;
#else
  constexpr std::uint64_t kUnit = 1024;
#endif
  return static_cast<std::uint64_t>(usage.ru_maxrss) * kUnit;
}

std::uint64_t pages_from_disk() noexcept {
  struct rusage usage;
  return ::getrusage(RUSAGE_SELF, &usage) == 0 ? static_cast<std::uint64_t>(usage.ru_majflt) : 0;
}

}  // namespace lfm::base
