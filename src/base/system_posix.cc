// For macOS by its documentation: there it was never run.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <random>

#include "base/system.h"

#if defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace lfm::base::system {
namespace {

int not_here() noexcept {
  errno = ENOSYS;
  return -1;
}

}  // namespace

int rename_new(const char* from, const char* to) noexcept {
  if (::link(from, to) != 0) return -1;
  (void)::unlink(from);
  return 0;
}

int reserve(int, std::uint64_t) noexcept {
  return not_here();
}

void forget(int, std::uint64_t, std::uint64_t) noexcept {}

int page_in(const std::byte* data, std::size_t bytes) noexcept {
  return ::posix_madvise(const_cast<std::byte*>(data), bytes, POSIX_MADV_WILLNEED) == 0 ? 0 : not_here();
}

void want_huge(void*, std::size_t) noexcept {}

int move(void*, std::size_t, void*) noexcept {
  return not_here();
}

int first_huge(int, Bytes, Bytes&) noexcept {
  return not_here();
}

bool random_bytes(std::span<std::byte> out) noexcept {
  try {
    std::random_device random;
    std::ranges::generate(out, [&] { return static_cast<std::byte>(random() & 0xff); });
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void step_back() noexcept {}

std::vector<unsigned> cpus() {
  int count = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
#if defined(__APPLE__)
  std::size_t bytes = sizeof count;
  (void)::sysctlbyname("hw.perflevel0.physicalcpu", &count, &bytes, nullptr, 0);  // the fast ones
#endif
  std::vector<unsigned> cpus(static_cast<std::size_t>(std::max(count, 0)));
  std::iota(cpus.begin(), cpus.end(), 0u);
  return cpus;
}

}  // namespace lfm::base::system
