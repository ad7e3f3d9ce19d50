// Matmul kernels on one thread: bytes of weights per second where weights come from memory (decode), operations per
// second where they come from the cache (prefill). kernel_bench --benchmark_filter=avx512vnni/Q4_0
#include "kernels/matmul/matmul.h"

#include <benchmark/benchmark.h>
#include <sys/mman.h>

#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "base/cpu.h"
#include "kernels/matmul/pack.h"
#include "kernels/table.h"
#include "tests/kernels/evex/evex.h"

namespace {

using namespace lfm::kernels;

constexpr std::size_t kColumns = 2048;
constexpr std::size_t kWorkingSet = std::size_t{512} << 20;

// Pages of small numbers: as codes, fp16 and floats they are all harmless, and no scale is subnormal.
class Pages {
 public:
  explicit Pages(std::size_t bytes) : bytes_(bytes) {
    map_ = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map_ == MAP_FAILED) throw std::bad_alloc();
    madvise(map_, bytes, MADV_HUGEPAGE);
    std::memset(map_, 0x11, bytes);
  }
  ~Pages() { munmap(map_, bytes_); }
  Pages(const Pages&) = delete;
  Pages& operator=(const Pages&) = delete;
  std::byte* data() { return static_cast<std::byte*>(map_); }

 private:
  std::size_t bytes_;
  void* map_;
};

// A call of `tiles` tiles for `mr` tokens, over and over through `bytes` bytes of weights.
template <class Call>
void walk(benchmark::State& state, std::size_t tile_bytes, std::size_t tiles, std::size_t bytes, std::size_t mr,
          Call call) {
  Pages weights(bytes);
  const std::size_t step = tiles * tile_bytes;
  std::size_t at = 0;
  for (auto _ : state) {
    call(weights.data() + at);
    benchmark::ClobberMemory();
    at = at + 2 * step <= bytes ? at + step : 0;
  }
  const auto calls = static_cast<double>(step);
  state.counters["weights"] =
      benchmark::Counter(calls, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::kIs1024);
  state.counters["op/s"] = benchmark::Counter(2.0 * static_cast<double>(tiles * kTileRows * kColumns * mr),
                                              benchmark::Counter::kIsIterationInvariantRate);
}

void blocks(benchmark::State& state, MatmulFn matmul, BlockFormat format, std::size_t mr) {
  constexpr std::size_t kTiles = 4;
  std::vector<float> out(mr * kTiles * kTileRows);
  std::vector<float> act(mr * act_row_bytes(kColumns) / sizeof(float), 1.0f);
  std::vector<const std::byte*> rows;
  for (std::size_t t = 0; t < mr; ++t) {
    rows.push_back(reinterpret_cast<const std::byte*>(act.data()) + t * act_row_bytes(kColumns));
  }
  const std::size_t bytes = tile_bytes(format, kColumns);
  walk(state, bytes, kTiles, kTiles * bytes, mr, [&](const std::byte* weights) {
    matmul(weights, kTiles, kColumns, rows, out.data(), static_cast<std::ptrdiff_t>(kTiles * kTileRows));
  });
}

// One token through weights from memory.
void strips(benchmark::State& state, StripsFn matmul, BlockFormat format) {
  constexpr std::size_t kStrips = 4;
  constexpr std::size_t kTiles = 16;  // of a strip
  std::vector<float> out(kStrips * kTiles * kTileRows);
  const std::vector<float> act(act_row_bytes(kColumns) / sizeof(float), 1.0f);
  const std::size_t bytes = tile_bytes(format, kColumns);
  walk(state, bytes, kStrips * kTiles, kWorkingSet, 1, [&](const std::byte* weights) {
    std::array<Strip, kStrips> all;
    for (std::size_t i = 0; i < kStrips; ++i) {
      all[i] = {weights + i * kTiles * bytes, reinterpret_cast<const std::byte*>(act.data()),
                out.data() + i * kTiles * kTileRows};
    }
    matmul(all, kTiles, kColumns);
  });
}

void floats(benchmark::State& state, MatmulFloatFn matmul, FloatFormat format, std::size_t tokens) {
  const std::size_t bytes = tile_bytes(format, kColumns);
  const std::size_t tiles = tokens == 1 ? 64 : 2;
  std::vector<float> out(tokens * tiles * kTileRows);
  std::vector<float> act(tokens * kColumns, 1.0f);
  std::vector<const float*> rows;
  for (std::size_t t = 0; t < tokens; ++t) rows.push_back(act.data() + t * kColumns);
  walk(state, bytes, tiles, tokens == 1 ? kWorkingSet : tiles * bytes, tokens, [&](const std::byte* weights) {
    matmul(weights, tiles, kColumns, rows, out.data(), static_cast<std::ptrdiff_t>(tiles * kTileRows));
  });
}

void pack(benchmark::State& state, BlockFormat format) {
  const std::size_t bytes = kTileRows * gguf_row_bytes(format, kColumns);
  constexpr std::size_t kSource = std::size_t{64} << 20;
  Pages source(kSource);
  Pages tile(tile_bytes(format, kColumns));
  std::size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(pack_tile(format, source.data() + at, kTileRows, kColumns, tile.data()));
    at = at + 2 * bytes <= kSource ? at + bytes : 0;
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
}

void register_isa(const std::string& isa, const MatmulKernels& kernels) {
  for (const BlockInfo& row : kBlockFormats) {
    const auto f = static_cast<std::size_t>(row.format);
    const std::string name = isa + "/" + row.name;
    benchmark::RegisterBenchmark((name + "/strips").c_str(), strips, kernels.blocks[f]->strips, row.format);
    for (std::size_t mr = 1; mr <= kernels.most_tokens; mr = mr < 6 ? mr + 1 : 2 * mr) {
      benchmark::RegisterBenchmark((name + "/mr:" + std::to_string(mr)).c_str(), blocks, kernels.blocks[f]->tiles,
                                   row.format, mr);
    }
  }
  for (const FloatInfo& row : kFloatFormats) {
    for (const std::size_t tokens : {std::size_t{1}, std::size_t{12}}) {
      const std::string name = isa + "/" + row.name + "/mr:" + std::to_string(tokens);
      benchmark::RegisterBenchmark(name.c_str(), floats, kernels.floats[static_cast<std::size_t>(row.format)],
                                   row.format, tokens);
    }
  }
}

const bool registered = [] {
  for (const BlockInfo& row : kBlockFormats) {
    benchmark::RegisterBenchmark((std::string("pack/") + row.name).c_str(), pack, row.format);
  }
  for (const IsaInfo& row : kIsas) {
    if (lfm::base::cpu_has(row.isa)) register_isa(row.name, table(row.isa).matmul);
  }
#if defined(LFM_KERNELS_EVEX)
  if (lfm::base::cpu_has(Isa::kAvx512Vnni)) register_isa("avxvnni_evex", avxvnni_evex::kMatmul);
#endif
  return true;
}();

}  // namespace
