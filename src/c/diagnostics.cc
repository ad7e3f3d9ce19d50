#include "lfm/diagnostics.h"

#include <vector>

#include "base/try.h"
#include "c/handles.h"
#include "c/sized.h"

namespace c = lfm::c;

lfm_code lfm_engine_finish_pack_cache(const lfm_engine* engine, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{engine, "engine"}}));
    return engine->engine.finish_pack_cache();
  });
}

lfm_code lfm_engine_settle(const lfm_engine* engine, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{engine, "engine"}}));
    return lfm::Diagnostics(engine->engine).settle();
  });
}

lfm_code lfm_engine_phases(const lfm_engine* engine, lfm_phase* phases, size_t capacity, size_t* count,
                           lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{engine, "engine"}, {count, "count"}}));
    if (capacity > 0) LFM_TRY(c::given({{phases, "phases"}}));
    std::vector<lfm_phase> out;
    for (const lfm::PhaseTime& time : lfm::Diagnostics(engine->engine).phase_times()) {
      lfm_phase& phase = out.emplace_back();
      phase.seconds = time.seconds;
      c::copy_text(phase.name, time.name);
    }
    return c::give<lfm_phase>(out, phases, capacity, count);
  });
}

lfm_code lfm_engine_measure_limits(const lfm_engine* engine, lfm_limits* limits, lfm_error* error) {
  return c::call(error, [&]() -> lfm::Status {
    LFM_TRY(c::given({{engine, "engine"}, {limits, "limits"}}));
    LFM_TRY(c::check_size(*limits, "limits"));
    LFM_ASSIGN(const lfm::MachineLimits measured, lfm::Diagnostics(engine->engine).measure_limits());
    lfm_limits out{};
    out.read_bytes_per_second = measured.read_bytes_per_second;
    out.int8_operations_per_second = measured.int8_operations_per_second;
    return c::write_sized(out, limits, "limits");
  });
}
