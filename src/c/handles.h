// What the handles of the C interface are, and how results get across it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <new>
#include <span>
#include <string>

#include "lfm.h"
#include "lfm/lfm.h"

struct lfm_engine {
  lfm::Engine engine;
};

struct lfm_session {
  lfm::Engine engine;
  lfm::Session session;
};

namespace lfm::c {

// Fills in `out`, which may be null, and returns the code.
lfm_code report(const Error& error, lfm_error* out) noexcept;

lfm_code out_of_memory(lfm_error* out) noexcept;

// The body's code; no exception goes past it. The library throws none, but the little that is done here may run out of
// memory, and callbacks may be C++ after all.
template <typename Body>
lfm_code guarded(lfm_error* error, Body&& body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return out_of_memory(error);
  } catch (...) {
    return report(Error{ErrorCode::kState, "a callback threw an exception"}, error);
  }
}

inline lfm_code status(const Status& result, lfm_error* error) noexcept {
  return result.ok() ? LFM_OK : report(result.error(), error);
}

template <typename T>
std::span<const T> span(const T* data, std::size_t count) noexcept {
  return count == 0 ? std::span<const T>() : std::span<const T>(data, count);
}

// Gives an array to a caller who has made room for `capacity` elements.
template <typename T>
lfm_code give(std::span<const T> values, T* out, std::size_t capacity, std::size_t* count, lfm_error* error) {
  *count = values.size();
  if (values.size() > capacity) {
    return report(
        Error{ErrorCode::kLimit,
              "room for " + std::to_string(capacity) + ", needed for " + std::to_string(values.size()), "capacity"},
        error);
  }
  std::copy(values.begin(), values.end(), out);
  return LFM_OK;
}

SamplingOptions from_c(const lfm_sampling& sampling);
lfm_sampling to_c(const SamplingOptions& sampling);

GenerateOptions from_c(const lfm_generate_options& options);
lfm_finish to_c(const Finish& finish);

}  // namespace lfm::c
