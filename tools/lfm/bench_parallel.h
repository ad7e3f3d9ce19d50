// lfm bench -np: how fast sessions are side by side.
#pragma once

#include <cstdint>

#include "bench_report.h"

namespace lfm::cli {

// Sessions with random tokens: all read their prompts at the same time and then generate, token by token, as
// llama-batched-bench does.
Result<ParallelResult> run_parallel(const Engine& engine, const CacheTypes& cache, const ParallelTest& test,
                                    std::size_t repetitions, std::uint64_t& random);

}  // namespace lfm::cli
