// What one core of this machine can do at most: the numbers that kernels are judged by. Run beside them, since other
// programs share the machine.
#include <benchmark/benchmark.h>

#if defined(__AVX512VNNI__)
#include <immintrin.h>
#include <sys/mman.h>

#include <cstddef>
#include <cstring>
#include <new>

namespace {

// Bytes read in order from a buffer larger than the caches.
void read_bandwidth(benchmark::State& state) {
  if (!__builtin_cpu_supports("avx512vnni")) return state.SkipWithError("no AVX-512");
  constexpr std::size_t kBytes = std::size_t{512} << 20;
  void* map = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED) throw std::bad_alloc();
  madvise(map, kBytes, MADV_HUGEPAGE);
  std::memset(map, 1, kBytes);
  const char* data = static_cast<const char*>(map);
  for (auto _ : state) {
    __m512i sum[4] = {};
    for (const char* p = data; p < data + kBytes; p += 256) {
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i) {
        sum[i] = _mm512_add_epi64(sum[i], _mm512_load_si512(p + 64 * i));
        _mm_prefetch(p + 64 * i + 2048, _MM_HINT_T0);
      }
    }
    benchmark::DoNotOptimize(
        _mm512_reduce_add_epi64(_mm512_add_epi64(_mm512_add_epi64(sum[0], sum[1]), _mm512_add_epi64(sum[2], sum[3]))));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(kBytes) * state.iterations());
  munmap(map, kBytes);
}
BENCHMARK(read_bandwidth)->Unit(benchmark::kMillisecond);

// vpdpbusd between registers.
void dpbusd_peak(benchmark::State& state) {
  if (!__builtin_cpu_supports("avx512vnni")) return state.SkipWithError("no AVX-512 VNNI");
  constexpr int kChains = 12;
  constexpr int kSteps = 100000;
  __m512i sum[kChains];
  for (int i = 0; i < kChains; ++i) sum[i] = _mm512_set1_epi32(i);  // so that no two chains are the same
  const __m512i a = _mm512_set1_epi8(1);
  const __m512i b = _mm512_set1_epi8(2);
  for (auto _ : state) {
    for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
      for (int i = 0; i < kChains; ++i) sum[i] = _mm512_dpbusd_epi32(sum[i], a, b);
    }
  }
  __m512i total = sum[0];
#pragma GCC unroll 12
  for (int i = 1; i < kChains; ++i) total = _mm512_add_epi32(total, sum[i]);
  benchmark::DoNotOptimize(_mm512_reduce_add_epi32(total));
  state.counters["op/s"] = benchmark::Counter(128.0 * kChains * kSteps, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(dpbusd_peak)->Unit(benchmark::kMillisecond);

}  // namespace
#endif
