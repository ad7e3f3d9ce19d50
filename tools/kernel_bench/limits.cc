// What one core of this machine can do at most: the numbers that kernels are judged by. Run beside them, since other
// programs share the machine.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>

#include "base/cpu.h"
#include "kernels/table.h"

namespace {

const lfm::kernels::Table& best() {
  return lfm::kernels::table(lfm::base::best_isa());
}

// Bytes read from a buffer larger than the caches.
void read_bandwidth(benchmark::State& state) {
  constexpr std::size_t kBytes = std::size_t{512} << 20;
  auto* data = static_cast<std::byte*>(std::aligned_alloc(4096, kBytes));
  if (data == nullptr) return state.SkipWithError("no memory");
  std::memset(data, 1, kBytes);
  for (auto _ : state) benchmark::DoNotOptimize(best().vector.read(data, kBytes));
  state.SetBytesProcessed(static_cast<std::int64_t>(kBytes) * state.iterations());
  std::free(data);
}
BENCHMARK(read_bandwidth)->Unit(benchmark::kMillisecond);

// int8 multiply-adds between registers.
void int8_peak(benchmark::State& state) {
  constexpr std::size_t kSteps = 100000;
  const lfm::kernels::MatmulKernels& kernels = best().matmul;
  for (auto _ : state) benchmark::DoNotOptimize(kernels.peak(kSteps));
  state.counters["op/s"] = benchmark::Counter(static_cast<double>(kSteps * kernels.peak_operations),
                                              benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(int8_peak)->Unit(benchmark::kMillisecond);

}  // namespace
