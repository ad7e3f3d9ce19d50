// What the handles of the C interface are, and how results get across it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <initializer_list>
#include <new>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lfm/c.h"
#include "lfm/lfm.h"

struct lfm_tokenizer {
  lfm::Tokenizer tokenizer;
};

struct lfm_engine {
  lfm::Engine engine;
  lfm_tokenizer tokenizer;
};

struct lfm_session {
  lfm::Engine engine;
  lfm::Session session;
};

struct lfm_chat {
  lfm::Chat chat;
};

struct lfm_answer {
  lfm::Answer answer;
  std::vector<lfm_tool_call> calls;  // into answer
  std::string description;
};

struct lfm_constraint {
  lfm::Constraint constraint;
};

struct lfm_cancel {
  std::stop_source source;
};

namespace lfm::c {

// Fills in `out`, which may be null, and returns the code.
lfm_code report(const Error& error, lfm_error* out) noexcept;

// Not of LFM_OK.
ErrorCode code_of(lfm_code code) noexcept;

// What the body returns, as a code; no exception goes past it. The library throws none, but the little that is done
// here may run out of memory, and callbacks may be C++ after all.
template <typename Body>
lfm_code call(lfm_error* error, Body&& body) noexcept {
  try {
    const Status status = body();
    return status.ok() ? LFM_OK : report(status.error(), error);
  } catch (const std::bad_alloc&) {
    return report(Error{ErrorCode::kNoMemory, {}}, error);
  } catch (...) {
    return report(Error{ErrorCode::kState, "a callback threw an exception"}, error);
  }
}

// kArgument with the name of the first that is null.
struct Given {
  const void* pointer;
  const char* name;
};
Status given(std::initializer_list<Given> arguments);

// Copies what fits, whole code points, with a zero behind it.
template <std::size_t kSize>
void copy_text(char (&out)[kSize], std::string_view text) noexcept {
  std::size_t length = std::min(text.size(), kSize - 1);
  if (length < text.size()) {
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80) --length;
  }
  std::memcpy(out, text.data(), length);
  out[length] = '\0';
}

// An array of the caller's; kArgument where it is null and has elements.
template <typename T>
Result<std::span<const T>> array(const T* data, std::size_t count, const char* name) {
  if (count == 0) return std::span<const T>();
  if (Status there = given({{data, name}}); !there.ok()) return std::move(there).error();
  return std::span<const T>(data, count);
}

// Gives an array to a caller who has made room for `capacity` elements, or only wants to know how many there are.
template <typename T>
Status give(std::span<const T> values, T* out, std::size_t capacity, std::size_t* count) {
  *count = values.size();
  if (out == nullptr) return {};
  if (values.size() > capacity) {
    Error error{ErrorCode::kLimit,
                "room for " + std::to_string(capacity) + ", needed for " + std::to_string(values.size()), "capacity"};
    error.have = values.size();
    error.limit = capacity;
    return error;
  }
  std::copy(values.begin(), values.end(), out);
  return {};
}

}  // namespace lfm::c
