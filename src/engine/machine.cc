#include "lfm/machine.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <new>
#include <vector>

#include "base/cpu.h"
#include "base/memory.h"
#include "base/team.h"
#include "base/try.h"
#include "kernels/limits/limits.h"

namespace lfm {
namespace {

constexpr std::size_t kBytes = std::size_t{256} << 20;
// A round takes tens of milliseconds, as tokens do: CPUs that slow down under wide instructions do so within
// milliseconds, and where a machine is shared, a round that fits between two hold-ups would promise too much.
constexpr std::size_t kPasses = 8;
constexpr std::size_t kSteps = std::size_t{1} << 22;
constexpr int kRounds = 5;

// The median of a few rounds, each timed by the member that is done last.
template <typename Body>
double median_seconds(base::Team& team, Body&& body) {
  std::vector<double> seconds;
  for (int round = 0; round < kRounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    team.run(body);
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(seconds.begin(), seconds.begin() + kRounds / 2, seconds.end());
  return seconds[kRounds / 2];
}

Result<MachineLimits> measure(unsigned threads) {
  LFM_ASSIGN(const kernels::Isa isa, base::chosen_isa());
  LFM_ASSIGN(base::Team team, base::Team::create(threads != 0 ? threads : base::default_threads()));
  LFM_ASSIGN(base::Memory memory, base::Memory::allocate(kBytes, base::Memory::Pages::kHuge));
  const kernels::LimitKernels& kernels = kernels::limit_kernels(isa);
  std::vector<std::uint64_t> sums(team.size() * 8);  // a cache line each, so that the work has a result
  const auto part = [&](const base::Worker& worker) {
    const base::Range pages = worker.part(kBytes / 4096);
    return std::span(memory.data() + pages.begin * 4096, (pages.end - pages.begin) * 4096);
  };
  team.run([&](base::Worker& worker) { std::memset(part(worker).data(), 1, part(worker).size()); });

  MachineLimits limits;
  limits.read_bytes_per_second =
      static_cast<double>(kPasses * kBytes) / median_seconds(team, [&](base::Worker& worker) {
        for (std::size_t pass = 0; pass < kPasses; ++pass) {
          sums[worker.index() * 8] += kernels.read(part(worker).data(), part(worker).size());
        }
      });
  const double operations = static_cast<double>(kSteps * kernels.operations_per_step) * team.size();
  limits.int8_operations_per_second = operations / median_seconds(team, [&](base::Worker& worker) {
                                        sums[worker.index() * 8] += kernels.multiply(kSteps);
                                      });
  return limits;
}

}  // namespace

Result<MachineLimits> measure_machine(unsigned threads) {
  try {
    return measure(threads);
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kNoMemory, {}};
  }
}

std::string cpu_name() {
  return base::cpu_name();
}

std::uint64_t peak_memory_bytes() {
  return base::peak_memory_bytes();
}

}  // namespace lfm
