// Results as values: every call of the library that can fail returns a Result<T> (or a Status, which is Result<void>).
// Nothing in the library throws across its API, aborts, exits or prints.
#pragma once

#include <cstdint>
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

  // "blk.3.ffn_norm.weight: shape is 255, expected 256 (index 3, at byte 1024)"
  std::string describe() const;
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  // Requires ok().
  T& value() & noexcept { return *std::get_if<0>(&state_); }
  const T& value() const& noexcept { return *std::get_if<0>(&state_); }
  T&& value() && noexcept { return std::move(*std::get_if<0>(&state_)); }
  T& operator*() & noexcept { return value(); }
  const T& operator*() const& noexcept { return value(); }
  T&& operator*() && noexcept { return std::move(*this).value(); }
  T* operator->() noexcept { return &value(); }
  const T* operator->() const noexcept { return &value(); }

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

}  // namespace lfm
