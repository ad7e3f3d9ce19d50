// Structs of the C interface that begin with their size, of which an application may have an older or a newer form.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <type_traits>

#include "lfm/c.h"
#include "lfm/result.h"

namespace lfm::c {

// Its size in LFM_ABI_VERSION 2. One that grows keeps the size here that it had then:
//   template <> inline constexpr std::size_t kFirstSize<lfm_finish> = offsetof(lfm_finish, first_new_field);
template <typename T>
inline constexpr std::size_t kFirstSize = sizeof(T);
template <>
inline constexpr std::size_t kFirstSize<lfm_engine_options> = offsetof(lfm_engine_options, draft);
template <>
inline constexpr std::size_t kFirstSize<lfm_model_info> = offsetof(lfm_model_info, draft);
template <>
inline constexpr std::size_t kFirstSize<lfm_session_options> = offsetof(lfm_session_options, cache_keys);
template <>
inline constexpr std::size_t kFirstSize<lfm_pool_options> = offsetof(lfm_pool_options, cache_keys);

template <typename T>
Status check_size(const T& caller, const char* name) {
  if (caller.size >= kFirstSize<T>) return {};
  return Error{ErrorCode::kArgument, "the struct's size isn't set", name};
}

// The caller's struct in our form: what its form lacks is zero. All zero where there is none.
//   kArgument  no size;   kUnsupported  something is in what our form lacks
template <typename T>
Result<T> read_sized(const T* caller, const char* name) {
  T ours{};
  ours.size = sizeof(T);
  if (caller == nullptr) return ours;
  if (Status good = check_size(*caller, name); !good.ok()) return std::move(good).error();
  const auto* bytes = reinterpret_cast<const unsigned char*>(caller);
  if (std::any_of(bytes + std::min(sizeof(T), caller->size), bytes + caller->size,
                  [](auto byte) { return byte != 0; })) {
    return Error{ErrorCode::kUnsupported, "has what this version of the library doesn't know", name};
  }
  std::memcpy(&ours, caller, std::min(sizeof(T), caller->size));
  ours.size = sizeof(T);
  return ours;
}

// A caller's number for an enum: it may be none of the enum's values, and reading it as one is undefined then.
template <typename Enum>
std::underlying_type_t<Enum> number(const Enum& written) {
  std::underlying_type_t<Enum> out;
  std::memcpy(&out, &written, sizeof(out));
  return out;
}

// Fills in the caller's struct, whose size stays. kArgument: it is null or without a size.
template <typename T>
Status write_sized(const T& ours, T* caller, const char* name) {
  if (caller == nullptr) return Error{ErrorCode::kArgument, "is NULL", name};
  if (Status good = check_size(*caller, name); !good.ok()) return good;
  const std::size_t size = caller->size;
  auto* bytes = reinterpret_cast<unsigned char*>(caller);
  std::memcpy(bytes, &ours, std::min(sizeof(T), size));
  if (size > sizeof(T)) std::memset(bytes + sizeof(T), 0, size - sizeof(T));
  caller->size = size;
  return {};
}

}  // namespace lfm::c
