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
inline constexpr std::size_t kFirstSize<lfm_evaluate_options> = offsetof(lfm_evaluate_options, cache_keys);
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

// The enums that callers pass: their values begin with 0 and have no gaps.
template <typename Enum>
struct EnumOf;
#define LFM_C_ENUM(type, the_last)             \
  template <>                                  \
  struct EnumOf<type> {                        \
    static constexpr const char* name = #type; \
    static constexpr type last = the_last;     \
  }
LFM_C_ENUM(lfm_cache_type, LFM_CACHE_Q8_0);
LFM_C_ENUM(lfm_chat_form, LFM_FORM_LFM25);
LFM_C_ENUM(lfm_code, LFM_CANCELLED);
LFM_C_ENUM(lfm_dense, LFM_DENSE_NATIVE);
LFM_C_ENUM(lfm_draft, LFM_DRAFT_MODEL);
LFM_C_ENUM(lfm_exam_match, LFM_EXAM_JSON);
LFM_C_ENUM(lfm_finish_reason, LFM_STOPPED);
LFM_C_ENUM(lfm_load, LFM_LOAD_COPY);
LFM_C_ENUM(lfm_mix, LFM_MIX_BITS);
LFM_C_ENUM(lfm_quantize_method, LFM_QUANTIZE_NO_DATA);
LFM_C_ENUM(lfm_role, LFM_TOOL);
LFM_C_ENUM(lfm_weight_type, LFM_WEIGHT_Q5_K);
#undef LFM_C_ENUM

// A caller's enum. Its number may be none of the enum's values, and reading it as one is undefined then.
//   kArgument  it is none; `index`: of the element that it is of, in an array
template <typename Enum>
Result<Enum> known(const Enum& written, const char* field, std::uint64_t index = Error::kNone) {
  std::underlying_type_t<Enum> number;
  std::memcpy(&number, &written, sizeof(number));
  if (number <= EnumOf<Enum>::last) return written;
  return Error{ErrorCode::kArgument,
               std::to_string(static_cast<std::int32_t>(number)) + " isn't one of " + EnumOf<Enum>::name, field, index};
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
