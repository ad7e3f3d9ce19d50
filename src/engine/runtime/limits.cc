#include "engine/runtime/limits.h"

#include <chrono>
#include <functional>
#include <vector>

#include "kernels/table.h"

namespace lfm::engine {
namespace {

constexpr std::size_t kRounds = 5;
// A round reads all weights, and small ones often enough.
constexpr std::size_t kLeastBytes = std::size_t{256} << 20;
// A tenth of a second or more: CPUs that slow down under wide instructions do so within milliseconds.
constexpr std::size_t kSteps = std::size_t{1} << 22;
constexpr std::size_t kUnit = 4096;  // of a member's part, in bytes

// Of a round, over a few in a row after one that isn't counted. The mean, as speeds are: what holds a machine up now and
// then is in both.
double mean_seconds(Runtime& runtime, const std::function<void(base::Worker&)>& body) {
  runtime.run(body);
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t round = 0; round < kRounds; ++round) runtime.run(body);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / kRounds;
}

}  // namespace

MachineLimits measure_limits(Runtime& runtime, std::span<const std::byte> weights) {
  const kernels::Table& kernels = kernels::table(runtime.isa());
  std::vector<std::uint64_t> sums(runtime.members() * 8);  // a cache line each, so that the work has a result
  const std::size_t units = weights.size() / kUnit;
  const std::size_t passes = units == 0 ? 0 : (kLeastBytes + weights.size() - 1) / weights.size();

  MachineLimits limits;
  const double read_seconds = mean_seconds(runtime, [&](base::Worker& worker) {
    const base::Range part = worker.part(units);
    for (std::size_t pass = 0; pass < passes; ++pass) {
      sums[worker.index() * 8] += kernels.vector.read(weights.data() + part.begin * kUnit, (part.end - part.begin) * kUnit);
    }
  });
  limits.read_bytes_per_second = static_cast<double>(passes * units * kUnit) / read_seconds;
  const double multiply_seconds =
      mean_seconds(runtime, [&](base::Worker& worker) { sums[worker.index() * 8] += kernels.matmul.peak(kSteps); });
  limits.int8_operations_per_second =
      static_cast<double>(kSteps * kernels.matmul.peak_operations) * runtime.members() / multiply_seconds;
  return limits;
}

}  // namespace lfm::engine
