// What one core of this machine can do at most: the numbers that kernels are judged by. Run beside them, since other
// programs share the machine.
#include "kernels/limits/limits.h"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>

namespace {

using lfm::kernels::Isa;

Isa best_isa() {
  if (__builtin_cpu_supports("avx512vnni")) return Isa::kAvx512Vnni;
  return __builtin_cpu_supports("avx2") ? Isa::kAvx2 : Isa::kScalar;
}

// Bytes read from a buffer larger than the caches.
void read_bandwidth(benchmark::State& state) {
  constexpr std::size_t kBytes = std::size_t{512} << 20;
  auto* data = static_cast<std::byte*>(std::aligned_alloc(4096, kBytes));
  if (data == nullptr) return state.SkipWithError("no memory");
  std::memset(data, 1, kBytes);
  for (auto _ : state) benchmark::DoNotOptimize(lfm::kernels::limit_kernels(best_isa()).read(data, kBytes));
  state.SetBytesProcessed(static_cast<std::int64_t>(kBytes) * state.iterations());
  std::free(data);
}
BENCHMARK(read_bandwidth)->Unit(benchmark::kMillisecond);

// int8 multiply-adds between registers.
void int8_peak(benchmark::State& state) {
  constexpr std::size_t kSteps = 100000;
  const lfm::kernels::LimitKernels& kernels = lfm::kernels::limit_kernels(best_isa());
  for (auto _ : state) benchmark::DoNotOptimize(kernels.multiply(kSteps));
  state.counters["op/s"] = benchmark::Counter(static_cast<double>(kSteps * kernels.operations_per_step),
                                              benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(int8_peak)->Unit(benchmark::kMillisecond);

}  // namespace
