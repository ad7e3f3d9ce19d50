// The key/value part of a GGUF file: a closed set of value types, looked up by key, read with checks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lfm/result.h"

namespace lfm::format {

class Cursor;

// Values are the numbers in the file.
enum class ValueType : std::uint32_t {
  kUint8 = 0,
  kInt8 = 1,
  kUint16 = 2,
  kInt16 = 3,
  kUint32 = 4,
  kInt32 = 5,
  kFloat32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kUint64 = 10,
  kInt64 = 11,
  kFloat64 = 12,
};

// Such as "uint32".
const char* to_string(ValueType type) noexcept;

// The strings of one array, in place in the file's header. Valid as long as the Gguf it came from (moving that is
// fine).
class StringArray {
 public:
  StringArray() = default;
  // `starts` holds for each string the byte of `header` at which its text begins; its length, 64 bits, lies before it.
  StringArray(const std::byte* header, const std::uint32_t* starts, std::size_t size) noexcept
      : header_(header), starts_(starts), size_(size) {}

  std::size_t size() const noexcept { return size_; }
  bool empty() const noexcept { return size_ == 0; }
  // Requires i < size(). Bytes, not always UTF-8.
  std::string_view operator[](std::size_t i) const noexcept;

 private:
  const std::byte* header_ = nullptr;
  const std::uint32_t* starts_ = nullptr;
  std::size_t size_ = 0;
};

// Everything here points into the header that Gguf owns. Getters: none of them throws or copies strings; the error of
// a wrong type or value is kFormat with the key as its field and the byte of the value as its offset.
//   find_X(key)     the value, or nothing where the key is absent
//   require_X(key)  the value, or kFormat where the key is absent
// Single integers are accepted in any integer type that the file uses, as long as they aren't negative.
class Metadata {
 public:
  struct Entry {
    std::string_view key;
    ValueType type = ValueType::kUint8;     // kArray: see element
    ValueType element = ValueType::kUint8;  // of an array; never kArray
    std::uint64_t count = 1;                // elements of an array; bytes of a string; else 1
    std::uint32_t offset = 0;               // of the first value byte in the file
    std::uint32_t end = 0;                  // first byte behind the value in the file
    std::uint32_t first_start = 0;          // into the string starts, for arrays of strings
  };

  // Reads `count` entries from the cursor, whose buffer must outlive the result. Gguf is who calls this.
  static Result<Metadata> read(Cursor& cursor, std::uint64_t count);

  bool contains(std::string_view key) const noexcept { return find(key) != nullptr; }
  const Entry* find(std::string_view key) const noexcept;
  const std::vector<Entry>& entries() const noexcept { return entries_; }  // in the file's order

  // The bytes of an entry's value as the file has them, all that stands behind its type.
  std::string_view value_bytes(const Entry& entry) const noexcept;

  Result<std::optional<std::uint64_t>> find_unsigned(std::string_view key) const;
  Result<std::uint64_t> require_unsigned(std::string_view key) const;
  Result<std::optional<double>> find_float(std::string_view key) const;  // float32 or float64
  Result<double> require_float(std::string_view key) const;
  Result<std::optional<bool>> find_bool(std::string_view key) const;
  Result<std::optional<std::string_view>> find_string(std::string_view key) const;
  Result<std::string_view> require_string(std::string_view key) const;

  Result<std::optional<StringArray>> find_strings(std::string_view key) const;
  Result<StringArray> require_strings(std::string_view key) const;
  // Arrays of int32, or of uint32 whose values fit.
  Result<std::optional<std::vector<std::int32_t>>> find_integers(std::string_view key) const;
  Result<std::vector<std::int32_t>> require_integers(std::string_view key) const;

  // An error about a key, with the byte of its value where there is one.
  Error error(std::string_view key, std::string message, ErrorCode code = ErrorCode::kFormat) const;

 private:
  friend class MetadataReader;

  const std::byte* header_ = nullptr;
  std::vector<Entry> entries_;
  std::vector<std::uint32_t> by_key_;  // entries_ sorted by key
  std::vector<std::uint32_t> string_starts_;
};

}  // namespace lfm::format
