// In steady state XnnWorker::run() neither allocates nor calls the system: it runs inside a team of spinning threads.
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <vector>

#include "base/memory.h"
#include "ops/xnn_linear.h"

namespace {
std::atomic<long> allocations{0};
}

// The C library's own functions, counted. XNNPACK calls these too, for they come first in the search for symbols.
#pragma GCC visibility push(default)
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t size) noexcept {
  ++allocations;
  return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  ++allocations;
  return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) noexcept {
  ++allocations;
  return __libc_realloc(memory, size);
}
void* memalign(std::size_t alignment, std::size_t size) noexcept {
  ++allocations;
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return memalign(alignment, size);
}
int posix_memalign(void** out, std::size_t alignment, std::size_t size) noexcept {
  *out = memalign(alignment, size);
  return *out == nullptr ? ENOMEM : 0;
}
}
#pragma GCC visibility pop

namespace lfm::ops {
namespace {

struct Work {
  static constexpr std::size_t kRows = 512, kColumns = 2048, kTokens = 20;

  XnnLayout layout = *find_xnn_layout();
  base::Memory packed = std::move(*base::Memory::allocate(layout.matrix_bytes(kRows, kColumns)));
  XnnWorker worker = std::move(*XnnWorker::create(layout));
  std::vector<std::int8_t> q = std::vector<std::int8_t>(kTokens * kColumns + kXnnExtraBytes);
  std::vector<XnnRowParams> params = std::vector<XnnRowParams>(kTokens);
  std::vector<float> out = std::vector<float>(kTokens * kRows);

  bool prepare() { return worker.prepare(kColumns, kRows, kRows, kTokens).ok(); }
  bool run() {
    bool good = true;
    for (const std::size_t tokens : {1u, 2u, 8u, 20u, 1u}) {
      good = worker.run({packed.data(), kRows, kColumns}, 0, kRows, tokens, q.data(), params.data(), out.data(), kRows)
                 .ok() &&
             good;
    }
    return good;
  }
};

TEST(XnnSteady, AllocatesNothing) {
  if (!find_xnn_layout().ok()) GTEST_SKIP() << "this CPU runs without XNNPACK";
  Work work;
  ASSERT_TRUE(work.prepare());
  const long before = allocations;
  const bool good = work.run() && work.run() && work.prepare();
  EXPECT_EQ(allocations - before, 0);
  EXPECT_TRUE(good);
  EXPECT_GT(before, 0);  // or the functions above were not the ones called
}

TEST(XnnSteady, CallsNoSystem) {
  if (!find_xnn_layout().ok()) GTEST_SKIP() << "this CPU runs without XNNPACK";
  Work work;
  ASSERT_TRUE(work.prepare() && work.run());
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // From here on the kernel kills this process for any call but read, write and exit.
    if (prctl(PR_SET_SECCOMP, 1) != 0) syscall(SYS_exit, 2);
    syscall(SYS_exit, work.run() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 2) GTEST_SKIP() << "this system offers no seccomp";
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "status " << status;
}

}  // namespace
}  // namespace lfm::ops
