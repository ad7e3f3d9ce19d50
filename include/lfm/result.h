// Results as values: every call of the library that can fail returns a Result<T> (or a Status, which is Result<void>).
// Nothing in the library throws across its API, aborts, exits or prints.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace lfm {

enum class ErrorCode : std::uint8_t {
  kFormat,       // a file's bytes contradict its format
  kUnsupported,  // well formed, but not something this library runs
  kLimit,        // a stated limit (context length, file size, ...) would be exceeded
  kIo,           // the operating system refused or failed a read, write or map
  kNoMemory,     // an allocation failed
  kArgument,     // the caller passed something that can't be right
  kState,        // the call isn't allowed in this state
  kNumeric,      // NaN or infinity where a number was needed
  kCancelled,    // the caller asked to stop
};

// The name of a code in lower case, such as "format".
const char* to_string(ErrorCode code) noexcept;

struct Error {
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};

  ErrorCode code = ErrorCode::kState;
  std::string message;           // one sentence without a full stop, for a person
  std::string field = {};        // what it is about: a metadata key, a tensor, an option; may be empty
  std::uint64_t index = kNone;   // element of the field, where one is to blame
  std::uint64_t offset = kNone;  // byte in the file, where one is to blame
  std::uint64_t have = kNone;    // kLimit, where both are numbers: how many there are or would be,
  std::uint64_t limit = kNone;   // and how many there may be

  // "blk.3.ffn_norm.weight: shape is 255, expected 256 (index 3, at byte 1024)"
  std::string describe() const;
};

// The value of an error is a mistake of whoever asks for it, and undefined. Where the application is built with
// assertions, its own accesses are checked: the program says which error it was and ends.
#if !defined(LFM_RESULT_ASSERTIONS)
#if !defined(NDEBUG) || defined(_GLIBCXX_ASSERTIONS)
#define LFM_RESULT_ASSERTIONS 1
#else
#define LFM_RESULT_ASSERTIONS 0
#endif
#endif
// Inlined whatever the options, so that the library and an application each have their own.
#define LFM_INLINE [[gnu::always_inline]]
#if LFM_RESULT_ASSERTIONS
[[noreturn, gnu::cold, gnu::noinline]] inline void no_value(const Error& error) noexcept {
  std::fprintf(stderr, "the value of a Result that is an error: %s\n", error.describe().c_str());
  std::abort();
}
#define LFM_ASSERT_OK() ok() ? void() : no_value(error())
#else
#define LFM_ASSERT_OK() void()
#endif

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  // Requires ok().
  LFM_INLINE T& value() & noexcept { return LFM_ASSERT_OK(), *std::get_if<0>(&state_); }
  LFM_INLINE const T& value() const& noexcept { return LFM_ASSERT_OK(), *std::get_if<0>(&state_); }
  LFM_INLINE T&& value() && noexcept { return LFM_ASSERT_OK(), std::move(*std::get_if<0>(&state_)); }
  LFM_INLINE T& operator*() & noexcept { return value(); }
  LFM_INLINE const T& operator*() const& noexcept { return value(); }
  LFM_INLINE T&& operator*() && noexcept { return std::move(*this).value(); }
  LFM_INLINE T* operator->() noexcept { return &value(); }
  LFM_INLINE const T* operator->() const noexcept { return &value(); }

  // Requires !ok().
  Error& error() & noexcept { return *std::get_if<1>(&state_); }
  const Error& error() const& noexcept { return *std::get_if<1>(&state_); }
  Error&& error() && noexcept { return std::move(*std::get_if<1>(&state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const noexcept { return !error_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }

  // Requires !ok().
  Error& error() & noexcept { return *error_; }
  const Error& error() const& noexcept { return *error_; }
  Error&& error() && noexcept { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

#undef LFM_ASSERT_OK
#undef LFM_INLINE

}  // namespace lfm
