#include "base/cores.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <vector>

#include "base/cgroup.h"
#include "base/system.h"

namespace lfm::base {
namespace {

struct Span {
  unsigned first;
  unsigned last;
};

// A list such as "0-3,8"; empty where there is none.
std::vector<Span> read_list(const std::string& path) {
  std::vector<Span> spans;
  std::ifstream file(path);
  for (Span span; file >> span.first; file.ignore(1, ',')) {
    span.last = span.first;
    if (file.peek() == '-') {
      file.ignore();
      file >> span.last;
    }
    spans.push_back(span);
  }
  return spans;
}

template <typename Number>
Number read_number(const std::string& path, Number otherwise) {
  Number number;
  return std::ifstream(path) >> number ? number : otherwise;
}

struct Core {
  std::uint64_t capacity = 0;  // of ARM's systems: work in a second, of the fastest 1024
  std::uint64_t frequency = 0;
};

// By the system's own account: what CPUID says of cores is often wrong in a virtual machine.
std::map<unsigned, Core> cores_of(std::span<const unsigned> cpus, const std::string& sys) {
  std::map<unsigned, Core> cores;  // by the first of its logical CPUs
  for (const unsigned cpu : cpus) {
    const std::string folder = sys + "/devices/system/cpu/cpu" + std::to_string(cpu);
    const std::vector<Span> siblings = read_list(folder + "/topology/thread_siblings_list");
    cores[siblings.empty() ? cpu : siblings.front().first] = {
        read_number<std::uint64_t>(folder + "/cpu_capacity", 0),
        read_number<std::uint64_t>(folder + "/cpufreq/cpuinfo_max_freq", 0)};
  }
  return cores;
}

// Intel's systems name the performance cores of a hybrid CPU. Processes that are bound to the others keep those.
std::map<unsigned, Core> without_efficiency_cores(const std::map<unsigned, Core>& cores, const std::string& sys) {
  const std::vector<Span> performance = read_list(sys + "/devices/cpu_core/cpus");
  std::map<unsigned, Core> kept;
  std::ranges::copy_if(cores, std::inserter(kept, kept.end()), [&](const auto& core) {
    return std::ranges::any_of(performance,
                               [&](const Span& span) { return span.first <= core.first && core.first <= span.last; });
  });
  return kept.empty() ? cores : kept;
}

// Efficiency cores run well below the fastest; differences of binning between equal cores are a few per cent. Little
// cores may run as fast, but do a third of the work; middle ones more than half.
std::size_t fast_ones(const std::map<unsigned, Core>& cores) {
  Core fastest;
  for (const auto& [first, core] : cores)
    fastest = {std::max(fastest.capacity, core.capacity), std::max(fastest.frequency, core.frequency)};
  return static_cast<std::size_t>(std::ranges::count_if(cores, [&](const auto& core) {
    if (fastest.capacity != 0) return core.second.capacity >= fastest.capacity / 2;
    return core.second.frequency >= fastest.frequency / 5 * 4;
  }));
}

}  // namespace

Cores usable_cores(std::span<const unsigned> cpus, const std::string& root) {
  const std::string sys = root + "/sys";
  const double paid = std::floor(group_limits(root).cpus);
  const auto at_most_paid = [paid](std::size_t cores) {
    return static_cast<unsigned>(std::max(1.0, std::min(static_cast<double>(cores), paid)));
  };
  const std::map<unsigned, Core> cores = cores_of(cpus, sys);
  return {at_most_paid(fast_ones(without_efficiency_cores(cores, sys))), at_most_paid(cores.size())};
}

Cores usable_cores() {
  return usable_cores(system::cpus(), "");
}

}  // namespace lfm::base
